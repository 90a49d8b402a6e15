import { create } from '@bufbuild/protobuf';
import { durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import { Command } from 'commander';
import { quote } from '../../domain/errors.ts';
import { quotaBounds } from '../../domain/quota.ts';
import {
  GetQuotaResponseSchema,
  ListQuotasResponseSchema,
  type Quota,
  QuotaSchema,
  SetQuotaResponseSchema,
  type TenantQuota,
  type TenantRate,
  TenantRateSchema,
} from '../../server/gen/spearlet/quota_pb.js';
import { durationText, parseDuration } from '../duration.ts';
import { exitCodes } from '../exit-codes.ts';
import { inQuotaFlags } from '../flag-words.ts';
import { onServer } from '../session.ts';
import type { Shell } from '../shell.ts';
import { parseSize, sizeText } from '../size.ts';
import { Table } from '../table.ts';
import { UsageError } from '../usage-error.ts';

/** Whole numbers. */
const counts = ['weight', 'running', 'pending'] as const;
type Count = (typeof counts)[number];
const names = [...counts, 'memory', 'rate', 'stored'] as const;
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
    .option('--pending <n>', `executions that have not begun; those beyond are refused: ${range('pending')}`)
    .option(
      '--memory <size>',
      'the sum of the memory limits of what runs at once; those beyond wait: such as 4GiB, or "none"',
    )
    .option(
      '--rate <units/per[:burst]>',
      'starts of attempts in a time; those beyond wait: such as 100/1m:20, or "none"',
    )
    .option(
      '--stored <size>',
      'what its executions keep in the store; beyond it new ones are refused: such as 10GiB, or "none"',
    );
  onServer<Partial<Record<Name, string>>>(
    command,
    shell,
    async (session, options, [tenant = '']) => {
      const changes = names.filter((name) => options[name] !== undefined);
      if (changes.length === 0) {
        throw new UsageError(
          `nothing is to be changed; allowed are ${names.map((name) => `--${name}`).join(', ')}`,
        );
      }
      const { quota: before } = await session.quotas.getQuota({ tenant });
      const quota = changed(before?.quota, options);
      const answer = await session.quotas.setQuota({ tenant, quota });
      if (session.json) await session.printDocument(SetQuotaResponseSchema, answer);
      else await write(shell, answer.quota === undefined ? [] : [answer.quota]);
      return exitCodes.completed.code;
    },
    inQuotaFlags,
  );
  return command;
}

/** A quota with what the options change of it. */
function changed(before: Quota | undefined, options: Partial<Record<Name, string>>): Quota {
  const quota = create(QuotaSchema, before ?? {});
  for (const name of counts) {
    const text = options[name];
    if (text === 'none') delete quota[name];
    else if (text !== undefined) quota[name] = numberOf(name, text);
  }
  const { memory, rate, stored } = options;
  if (stored === 'none') delete quota.storedBytes;
  else if (stored !== undefined) quota.storedBytes = BigInt(parseSize('--stored', stored));
  if (memory === 'none') delete quota.memoryBytes;
  else if (memory !== undefined) quota.memoryBytes = BigInt(parseSize('--memory', memory));
  if (rate === 'none') delete quota.rate;
  else if (rate !== undefined) quota.rate = rateOf(rate);
  return quota;
}

function rateOf(text: string): TenantRate {
  const [, units, per, burst] = /^(\d{1,7})\/([^:]+?)(?::(\d{1,7}))?$/.exec(text) ?? [];
  if (units === undefined || per === undefined) {
    throw new UsageError(
      `--rate: is ${quote(text)}; allowed is UNITS/PER or UNITS/PER:BURST, such as 100/1m:20`,
    );
  }
  return create(TenantRateSchema, {
    units: Number(units),
    per: durationFromMs(parseDuration('--rate', per)),
    ...(burst !== undefined && { burst: Number(burst) }),
  });
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
  const heading = ['TENANT', 'WEIGHT', 'RUNNING', 'OF', 'PENDING', 'OF', 'MEMORY', 'RATE', 'STORED'];
  const table = new Table(shell.out, heading, {
    optional: ['STORED', 'RATE', 'MEMORY'],
    elastic: ['TENANT'],
  });
  await table.write(
    quotas.map(({ tenant, quota, running, pending, memoryBytes, storedBytes }) => [
      tenant,
      String(quota?.weight ?? 1),
      String(running),
      String(quota?.running ?? '-'),
      String(pending),
      String(quota?.pending ?? '-'),
      bytesText(memoryBytes, quota?.memoryBytes),
      rateText(quota?.rate),
      bytesText(storedBytes, quota?.storedBytes),
    ]),
  );
}

/** `64 MiB of 1 GiB`; a dash where it is not bounded. */
function bytesText(used: bigint, most: bigint | undefined): string {
  return most === undefined ? '-' : `${sizeText(Number(used))} of ${sizeText(Number(most))}`;
}

function rateText(rate: TenantRate | undefined): string {
  if (rate?.per === undefined) return '-';
  return `${rate.units} in ${durationText(durationMs(rate.per))}, ${rate.burst ?? 1} at once`;
}

function range(name: Count): string {
  const [least, most] = quotaBounds[name];
  return `${least} to ${most}, or "none"`;
}

function numberOf(name: Count, text: string): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  const [least, most] = quotaBounds[name];
  if (value >= least && value <= most) return value;
  throw new UsageError(`--${name}: is ${quote(text)}; allowed is ${range(name)}`);
}
