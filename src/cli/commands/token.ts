import { create } from '@bufbuild/protobuf';
import { timestampDate, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Command } from 'commander';
import { roles } from '../../domain/access.ts';
import {
  CreateTokenResponseSchema,
  ListTokensResponseSchema,
  RevokeTokenResponseSchema,
  Role,
  type Token,
} from '../../server/gen/spearlet/access_pb.js';
import { parseDuration } from '../duration.ts';
import { exitCodes } from '../exit-codes.ts';
import { collect } from '../flag.ts';
import { inTokenFlags } from '../flag-words.ts';
import { roleFromFlag } from '../role.ts';
import { onServer } from '../session.ts';
import { note, type Shell } from '../shell.ts';
import { Table } from '../table.ts';

export function tokenCommand(shell: Shell): Command {
  return new Command('token')
    .description('create, list and revoke the tokens that callers show')
    .addCommand(createCommand(shell))
    .addCommand(listCommand(shell))
    .addCommand(revokeCommand(shell));
}

interface CreateOptions {
  readonly role: string;
  readonly task?: readonly string[];
  readonly expires?: string;
  readonly san?: readonly string[];
  readonly allTenants?: boolean;
}

function createCommand(shell: Shell): Command {
  const command = new Command('create')
    .description('make a token and print it; it cannot be had again')
    .argument('<name>', 'what it is called in lists, logs and errors')
    .requiredOption('--role <role>', `what its holder may do, each with all before it: ${roles.join(', ')}`)
    .option(
      '--task <glob>',
      'only tasks whose name fits it, such as "a-*" (repeatable: those that fit any; default: all)',
      collect,
    )
    .option(
      '--san <name>',
      'make no token: a certificate stands for it that has this URI or DNS name (serve --tls-client-ca); may come more than once',
      collect,
    )
    .option(
      '--all-tenants',
      'it reads what is of all tenants, as /metrics does; with --role observe, and without --task',
    )
    .option('--expires <duration>', 'how long it is good, such as 30d (default: until it is revoked)');
  onServer<CreateOptions>(
    command,
    shell,
    async (session, { role, task = [], expires, san = [], allTenants = false }, [name = '']) => {
      const answer = await session.access.createToken({
        name,
        role: roleFromFlag(role),
        tasks: [...task],
        allTenants,
        certificateNames: san.map(certificateName),
        ...(expires !== undefined && {
          expiresAt: timestampFromMs(Date.now() + parseDuration('--expires', expires)),
        }),
      });
      if (session.json) await session.printDocument(CreateTokenResponseSchema, answer);
      else if (answer.secret !== '') await shell.out.write(`${answer.secret}\n`);
      else await note(shell, `certificates with ${san.join(', ')} stand for ${name}`);
      return exitCodes.completed.code;
    },
    inTokenFlags,
  );
  return command;
}

/** `URI:` and `DNS:` may be left out, as the two cannot be mistaken for one another. */
function certificateName(text: string): string {
  if (/^(URI|DNS):/.test(text)) return text;
  return `${text.includes(':') ? 'URI' : 'DNS'}:${text}`;
}

function listCommand(shell: Shell): Command {
  const command = new Command('list').description('list the tokens, by name; never the tokens themselves');
  onServer(command, shell, async (session) => {
    const { tokens } = await session.access.listTokens({});
    if (session.json) {
      await session.printDocument(ListTokensResponseSchema, create(ListTokensResponseSchema, { tokens }));
    } else {
      const table = new Table(
        shell.out,
        ['NAME', 'ROLE', 'TENANT', 'TASKS', 'CREATED', 'EXPIRES', 'LAST USED'],
        {
          optional: ['CREATED', 'TASKS'],
          elastic: ['NAME', 'TASKS'],
        },
      );
      await table.write(tokens.map(row));
    }
    return exitCodes.completed.code;
  });
  return command;
}

function row({
  name,
  role,
  tenant,
  allTenants,
  tasks,
  executionId,
  createdAt,
  expiresAt,
  lastUsedAt,
}: Token): readonly string[] {
  const time = (at: Token['createdAt'], absent: string) =>
    at === undefined ? absent : timestampDate(at).toISOString();
  return [
    name,
    Role[role]?.toLowerCase() ?? '',
    allTenants ? '*' : tenant,
    executionId || (tasks.length === 0 ? '-' : tasks.join(' ')),
    time(createdAt, '-'),
    time(expiresAt, 'never'),
    time(lastUsedAt, 'never'),
  ];
}

function revokeCommand(shell: Shell): Command {
  const command = new Command('revoke')
    .description('make a token useless, at once and for good; whoever watches with it hears no more')
    .argument('<name>', 'name of the token')
    .option('--fingerprint <sha256>', 'only this one of the certificates that stand for it');
  onServer<{ readonly fingerprint?: string }>(
    command,
    shell,
    async (session, { fingerprint }, [name = '']) => {
      const answer = await session.access.revokeToken({
        name,
        ...(fingerprint !== undefined && { fingerprint }),
      });
      if (session.json) await session.printDocument(RevokeTokenResponseSchema, answer);
      else await note(shell, `revoked ${fingerprint === undefined ? name : `${fingerprint} of ${name}`}`);
      return exitCodes.completed.code;
    },
  );
  return command;
}
