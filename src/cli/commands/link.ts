import { randomBytes } from 'node:crypto';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Command } from 'commander';
import { pageOrigin } from '../../config.ts';
import { CreateTokenResponseSchema, Role } from '../../server/gen/spearlet/access_pb.js';
import { parseDuration } from '../duration.ts';
import { exitCodes } from '../exit-codes.ts';
import { onServer } from '../session.ts';
import { note, type Shell } from '../shell.ts';

interface LinkOptions {
  readonly expires: string;
  readonly name?: string;
}

export function linkCommand(shell: Shell): Command {
  const command = new Command('link')
    .description(
      'print a link to the page of one execution, for somebody who is to see that and nothing else',
    )
    .argument('<execution-id>')
    .option('--expires <duration>', 'how long it is good', '7d')
    .option(
      '--name <name>',
      'what its token is called, by which it can be revoked (default: link- and a random one)',
    );
  onServer<LinkOptions>(command, shell, async (session, { expires, name }, [executionId = '']) => {
    const tokenName = name ?? `link-${randomBytes(4).toString('hex')}`;
    const answer = await session.access.createToken({
      name: tokenName,
      role: Role.OBSERVE,
      executionId,
      expiresAt: timestampFromMs(Date.now() + parseDuration('--expires', expires)),
    });
    if (session.json) await session.printDocument(CreateTokenResponseSchema, answer);
    else {
      const { httpAddress, tls, secret } = answer;
      await shell.out.write(`${pageOrigin(httpAddress, tls)}/?execution=${executionId}#token=${secret}\n`);
      await note(shell, `${session.command('token', 'revoke', tokenName)} makes it useless`);
    }
    return exitCodes.completed.code;
  });
  return command;
}
