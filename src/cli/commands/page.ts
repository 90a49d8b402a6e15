import { Command } from 'commander';
import { pageLink } from '../../config.ts';
import { CreatePageCodeResponseSchema } from '../../server/gen/spearlet/access_pb.js';
import { exitCodes } from '../exit-codes.ts';
import { onServer } from '../session.ts';
import type { Shell } from '../shell.ts';

export function pageCommand(shell: Shell): Command {
  const command = new Command('page').description(
    'print a link to the page of a server; it works once, within a minute, and the browser stays signed in for 12 hours',
  );
  onServer(command, shell, async (session) => {
    const answer = await session.access.createPageCode({});
    if (session.json) await session.printDocument(CreatePageCodeResponseSchema, answer);
    else await shell.out.write(`${pageLink(answer.httpAddress, answer.code, answer.tls)}\n`);
    return exitCodes.completed.code;
  });
  return command;
}
