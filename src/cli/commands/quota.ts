import { Command } from 'commander';
import { quotaBounds } from '../../domain/quota.ts';
import {
  GetQuotaResponseSchema,
  ListQuotasResponseSchema,
  SetQuotaResponseSchema,
  type TenantQuota,
} from '../../server/gen/spearlet/quota_pb.js';
import { exitCodes } from '../exit-codes.ts';
import { inQuotaFlags } from '../flag-words.ts';
import { onServer } from '../session.ts';
import type { Shell } from '../shell.ts';
import { Table } from '../table.ts';
import { UsageError } from '../usage-error.ts';

const names = ['weight', 'running', 'pending'] as const;
type Name = (typeof names)[number];

export function quotaCommand(shell: Shell): Command {
  return new Command('quota')
    .description('bound what each tenant may have of the node, and show what it has')
    .addCommand(setCommand(shell))
    .addCommand(showCommand(shell))
    .addCommand(listCommand(shell));
}

function setCommand(shell: Shell): Command {
  const command = new Command('set')
    .description('change the quota of a tenant; what is not named stays as it is')
    .argument('<tenant>', 'whose it is')
    .option('--weight <n>', `its part of the slots, against other tenants that have work: ${range('weight')}`)
    .option('--running <n>', `attempts that run at once; those beyond wait: ${range('running')}`)
    .option('--pending <n>', `executions that have not begun; those beyond are refused: ${range('pending')}`);
  onServer<Partial<Record<Name, string>>>(
    command,
    shell,
    async (session, options, [tenant = '']) => {
      const changes = names.filter((name) => options[name] !== undefined);
      if (changes.length === 0) {
        throw new UsageError('nothing is to be changed; allowed are --weight, --running and --pending');
      }
      const { quota: before } = await session.quotas.getQuota({ tenant });
      const changed = Object.fromEntries(changes.map((name) => [name, numberOf(name, options[name] ?? '')]));
      const { weight, running, pending } = { ...before?.quota, ...changed };
      const answer = await session.quotas.setQuota({
        tenant,
        quota: {
          ...(weight !== undefined && { weight }),
          ...(running !== undefined && { running }),
          ...(pending !== undefined && { pending }),
        },
      });
      if (session.json) await session.printDocument(SetQuotaResponseSchema, answer);
      else await write(shell, answer.quota === undefined ? [] : [answer.quota]);
      return exitCodes.completed.code;
    },
    inQuotaFlags,
  );
  return command;
}

function showCommand(shell: Shell): Command {
  const command = new Command('show')
    .description('show the quota of a tenant, and what it has')
    .argument('<tenant>', 'whose it is');
  onServer(
    command,
    shell,
    async (session, _options, [tenant = '']) => {
      const answer = await session.quotas.getQuota({ tenant });
      if (session.json) await session.printDocument(GetQuotaResponseSchema, answer);
      else await write(shell, answer.quota === undefined ? [] : [answer.quota]);
      return exitCodes.completed.code;
    },
    inQuotaFlags,
  );
  return command;
}

function listCommand(shell: Shell): Command {
  const command = new Command('list').description('list the tenants that have a quota');
  onServer(command, shell, async (session) => {
    const answer = await session.quotas.listQuotas({});
    if (session.json) await session.printDocument(ListQuotasResponseSchema, answer);
    else await write(shell, answer.quotas);
    return exitCodes.completed.code;
  });
  return command;
}

async function write(shell: Shell, quotas: readonly TenantQuota[]): Promise<void> {
  const table = new Table(shell.out, ['TENANT', 'WEIGHT', 'RUNNING', 'OF', 'PENDING', 'OF'], {
    elastic: ['TENANT'],
  });
  await table.write(
    quotas.map(({ tenant, quota, running, pending }) => [
      tenant,
      String(quota?.weight ?? 1),
      String(running),
      String(quota?.running ?? '-'),
      String(pending),
      String(quota?.pending ?? '-'),
    ]),
  );
}

function range(name: Name): string {
  const [least, most] = quotaBounds[name];
  return `${least} to ${most}, or "none"`;
}

/** Undefined for `none`. */
function numberOf(name: Name, text: string): number | undefined {
  if (text === 'none') return undefined;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  const [least, most] = quotaBounds[name];
  if (value >= least && value <= most) return value;
  throw new UsageError(`--${name}: is ${JSON.stringify(text)}; allowed is ${range(name)}`);
}
