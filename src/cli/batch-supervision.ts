/** Supervised batches on the command line: the flags that ask for one, and how one is shown. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import type { Command } from 'commander';
import { quote } from '../domain/errors.ts';
import {
  type BatchMemberState,
  RestartPolicy,
  SupervisionPhase,
  type SupervisionSchema,
  type SupervisionState,
  SupervisionStrategy,
} from '../server/gen/spearlet/batch_pb.js';
import { durationText } from './duration.ts';
import { delay, duration, oneOf, wholeNumber } from './flag.ts';
import { statusText } from './outcome.ts';
import { printable } from './printable.ts';
import { UsageError } from './usage-error.ts';

const strategies = ['one-for-one', 'one-for-all', 'rest-for-one'] as const;
const policies = ['permanent', 'transient', 'temporary'] as const;

export interface SupervisionFlags {
  readonly supervise?: (typeof strategies)[number];
  readonly intensity?: number;
  readonly within?: number;
  readonly backoff?: number;
  readonly maxBackoff?: number;
}

export function withSupervisionFlags(command: Command): Command {
  return command
    .option(
      '--supervise <strategy>',
      `members run on, and begin again when they end: ${strategies.join(', ')}`,
      oneOf('--supervise', strategies),
    )
    .option('--intensity <n>', 'restarts at most within the period; 3', wholeNumber('--intensity'))
    .option('--within <duration>', 'the period; 1m', duration('--within'))
    .option(
      '--backoff <duration>',
      'before the first restart of a period, then twice as long each time; 200ms',
      delay('--backoff'),
    )
    .option('--max-backoff <duration>', 'the most of it; 10s', delay('--max-backoff'));
}

/** Undefined where nothing asks for it. Throws a UsageError for what goes with it alone. */
export function supervisionOf(
  flags: SupervisionFlags,
): MessageInitShape<typeof SupervisionSchema> | undefined {
  const { supervise, intensity, within, backoff, maxBackoff } = flags;
  if (supervise === undefined) {
    const given = Object.entries({ intensity, within, backoff, 'max-backoff': maxBackoff });
    const other = given.find(([, value]) => value !== undefined)?.[0];
    if (other === undefined) return undefined;
    throw new UsageError(`--${other}: goes with --supervise alone`);
  }
  const name = supervise.toUpperCase().replaceAll('-', '_') as keyof typeof SupervisionStrategy;
  return {
    strategy: SupervisionStrategy[name],
    ...(intensity !== undefined && { intensity }),
    ...(within !== undefined && { within: durationFromMs(within) }),
    ...(backoff !== undefined && { backoff: durationFromMs(backoff) }),
    ...(maxBackoff !== undefined && { maxBackoff: durationFromMs(maxBackoff) }),
  };
}

/** Of a line of a file: `restart`, in small letters or as the message has it. Throws a UsageError that names the line. */
export function restartPolicyOf(value: unknown, where: string): RestartPolicy {
  if (value === undefined) return RestartPolicy.UNSPECIFIED;
  const word = String(value)
    .toLowerCase()
    .replace(/^restart_policy_/, '');
  const policy = policies.find((each) => each === word);
  if (policy === undefined) {
    throw new UsageError(
      `${where}: restart is ${quote(JSON.stringify(value))}; allowed are ${policies.join(', ')}`,
    );
  }
  return RestartPolicy[policy.toUpperCase() as keyof typeof RestartPolicy];
}

/** What its supervisor is and does, in a line. */
export function supervisionText(supervision: SupervisionState): string {
  const { strategy, phase, recentRestarts, intensity, within, restarts } = supervision;
  const period = durationText(within === undefined ? 0 : durationMs(within));
  return [
    wordOf(SupervisionStrategy[strategy]),
    wordOf(SupervisionPhase[phase]),
    `${recentRestarts} of ${intensity} restarts within ${period}`,
    `${restarts} in all`,
  ].join(', ');
}

/** The tree of a supervisor: a line for each member, in the order of the batch. */
export function supervisionTree(members: readonly BatchMemberState[]): string {
  const rows = members.map(({ member, name, executionId, status, restart, restarts }) => [
    name === '' ? `#${member}` : printable(name),
    executionId,
    statusText(status),
    wordOf(RestartPolicy[restart]),
    `${restarts} restarts`,
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row, index) => {
      const branch = index === rows.length - 1 ? '└─' : '├─';
      return `${branch} ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}\n`;
    })
    .join('');
}

function wordOf(name: string | undefined): string {
  return (name ?? '').toLowerCase().replaceAll('_', ' ');
}
