import { Command } from 'commander';
import { pageLink } from '../../config.ts';
import { roles } from '../../domain/access.ts';
import { CreatePageCodeResponseSchema } from '../../server/gen/spearlet/access_pb.js';
import { exitCodes } from '../exit-codes.ts';
import { roleFromFlag } from '../role.ts';
import { onServer } from '../session.ts';
import type { Shell } from '../shell.ts';

export function pageCommand(shell: Shell): Command {
  const command = new Command('page')
    .description(
      'print a link to the page of a server; it works once, within a minute, and the browser stays signed in for 12 hours',
    )
    .option(
      '--role <role>',
      `what the page may do, each with all before it: ${roles.join(', ')} (default: all that you may)`,
    );
  onServer<{ readonly role?: string }>(command, shell, async (session, { role }) => {
    const request = role === undefined ? {} : { role: roleFromFlag(role) };
    const answer = await session.access.createPageCode(request);
    if (session.json) await session.printDocument(CreatePageCodeResponseSchema, answer);
    else await shell.out.write(`${pageLink(answer.httpAddress, answer.code, answer.tls)}\n`);
    return exitCodes.completed.code;
  });
  return command;
}
