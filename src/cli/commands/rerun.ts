import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Command } from 'commander';
import { type Priority, priorities } from '../../domain/scheduling/priority.ts';
import type { ErrorCode, ExecutionStatus } from '../../server/gen/spearlet/function_pb.js';
import {
  type RerunExecutionsRequestSchema,
  type RerunExecutionsResponse,
  RerunExecutionsResponseSchema,
  RerunRefusal,
} from '../../server/gen/spearlet/rerun_pb.js';
import { collectCode, collectStatus } from '../execution-filter.ts';
import { exitCodes } from '../exit-codes.ts';
import { collectPairs, instant, oneOf, wholeNumber } from '../flag.ts';
import { inRerunFlags } from '../flag-words.ts';
import { LiveLine } from '../live-line.ts';
import { progressText, summaryEntries } from '../rerun-words.ts';
import { onServer, type Session } from '../session.ts';
import { note, type Shell } from '../shell.ts';
import { account } from '../table.ts';
import { UsageError } from '../usage-error.ts';

interface Options {
  readonly task?: string;
  readonly batch?: string;
  readonly schedule?: string;
  readonly status?: readonly ExecutionStatus[];
  readonly code?: readonly ErrorCode[];
  readonly label?: Readonly<Record<string, string>>;
  readonly since?: number;
  readonly until?: number;
  readonly dryRun?: boolean;
  readonly revision?: string;
  readonly rerunId?: string;
  readonly again?: boolean;
  readonly priority?: string;
  readonly maxInFlight?: number;
}

type Request = MessageInitShape<typeof RerunExecutionsRequestSchema>;

const endings = ['completed', 'failed', 'timedOut', 'cancelled'] as const;

export function rerunCommand(shell: Shell): Command {
  const command = new Command('rerun')
    .description('run again what has ended, each as a new execution with what the first was asked')
    .usage('ID… [options]\n       spear rerun --task TASK [--status failed] [--since 2h] [options]')
    .argument('[id...]', 'executions; without them those that the options mean')
    .optionsGroup('Which:')
    .option('--task <task>', 'of this task, by name or id')
    .option('--batch <id>', 'members of this batch')
    .option('--schedule <name>', 'what this schedule has fired')
    .option(
      '--status <status>',
      `that ended so: ${endings.join(', ')} (repeatable; default: failed and timedOut)`,
      collectStatus(endings),
    )
    .option('--code <code>', 'that ended with this error code, such as TRAP (repeatable)', collectCode())
    .option('--label <key=value>', 'with this label (repeatable)', collectPairs('--label', 'KEY=VALUE'))
    .option('--since <time>', 'created since, such as 2h (ago) or 2026-05-31T12:00:00Z', instant('--since'))
    .option('--until <time>', 'created until, in the same words', instant('--until'))
    .option('--again', 'also what was run again already')
    .optionsGroup('How:')
    .option('--dry-run', 'count what can run again and what cannot, and run nothing')
    .option('--revision <revision>', 'newest, an alias or a number (default: the one that each had)')
    .option(
      '--priority <priority>',
      'of the new ones: low, normal, high, urgent (default: low)',
      oneOf('--priority', priorities),
    )
    .option(
      '--max-in-flight <n>',
      'how many of them may be unended at a time (default: 50)',
      wholeNumber('--max-in-flight'),
    )
    .option('--rerun-id <id>', 'names this run: the same name takes it up where it was left');
  command.optionsGroup('Server:');
  onServer<Options>(
    command,
    shell,
    async (session, options, ids) => {
      const request = requestFrom(options, ids);
      const { dryRun = false } = options;
      return run(session, request, dryRun);
    },
    inRerunFlags,
  );
  return command;
}

async function run(session: Session, request: Request, dryRun: boolean): Promise<number> {
  const { shell, json, reruns } = session;
  let last: RerunExecutionsResponse | undefined;
  const line = new LiveLine(shell, () => (last === undefined ? 'asking the server' : progressText(last)));
  if (!json) line.start();
  try {
    for await (const answer of reruns.rerunExecutions(request)) {
      const isFirst = last === undefined;
      last = answer;
      if (json) await session.printLine(RerunExecutionsResponseSchema, answer);
      else await line.aside(() => say(shell, answer, isFirst && !dryRun));
    }
  } catch (error) {
    if (last !== undefined && !dryRun) {
      await line.stop();
      await note(shell, `left; the same command with --rerun-id ${last.rerunId} goes on where it was left`);
    }
    throw error;
  } finally {
    await line.stop();
  }
  if (last === undefined) return exitCodes.platform.code;
  if (!json) await shell.out.write(account(summaryEntries(last, dryRun)));
  if (!json && last.truncated)
    await note(shell, 'there are more than one call takes; the same command goes on');
  return exitCodeFor(last, request, dryRun);
}

/** Whoever named executions is told of each; of many, why some cannot run again. */
async function say(shell: Shell, answer: RerunExecutionsResponse, isFirst: boolean): Promise<void> {
  if (isFirst) await note(shell, `run ${answer.rerunId}`);
  for (const item of answer.items) {
    if (item.refusal !== RerunRefusal.UNSPECIFIED) await note(shell, item.message);
  }
}

function exitCodeFor(
  answer: RerunExecutionsResponse,
  { executionIds = [] }: Request,
  dryRun: boolean,
): number {
  const { completed, started, possible } = answer;
  if (dryRun) return exitCodes.completed.code;
  const allOfThem = executionIds.length === 0 || possible === BigInt(executionIds.length);
  return completed === started && allOfThem ? exitCodes.completed.code : exitCodes.functionError.code;
}

function requestFrom(options: Options, ids: readonly string[]): Request {
  const { task = '', batch = '', schedule = '', status = [], code = [], label = {}, since, until } = options;
  const said = ['task', 'batch', 'schedule', 'status', 'code', 'label', 'since', 'until'] as const;
  const [which] = said.filter((name) => options[name] !== undefined);
  if (ids.length > 0 && which !== undefined) {
    throw new UsageError(`--${which}: stands beside ID; allowed is one or the other`);
  }
  // A script whose variable is empty means one, and never all.
  for (const name of ['task', 'batch', 'schedule'] as const) {
    if (options[name] === '') throw new UsageError(`--${name}: is empty; allowed is what it names`);
  }
  if (ids.length === 0 && which === undefined) {
    const allowed = said.map((name) => `--${name}`).join(', ');
    throw new UsageError(`nothing says which executions; allowed are ID, ${allowed}`);
  }
  return {
    ...(ids.length > 0
      ? { executionIds: [...ids] }
      : {
          filter: {
            task,
            batchId: batch,
            schedule,
            statuses: [...status],
            errorCodes: [...code],
            labels: { ...label },
            ...(since !== undefined && { createdAfter: timestampFromMs(since) }),
            ...(until !== undefined && { createdBefore: timestampFromMs(until) }),
          },
        }),
    dryRun: options.dryRun === true,
    revision: options.revision ?? '',
    rerunId: options.rerunId ?? '',
    again: options.again === true,
    // The wire numbers them in their order, from 1; 0 is low.
    priority: priorities.indexOf(options.priority as Priority) + 1,
    maxInFlight: options.maxInFlight ?? 0,
  };
}
