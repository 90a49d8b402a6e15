import { create } from '@bufbuild/protobuf';
import { timestampDate, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Command } from 'commander';
import { executionStatuses } from '../../domain/execution.ts';
import {
  ErrorCode,
  type ExecutionResult,
  type ExecutionStatus,
  ListExecutionsResponseSchema,
} from '../../server/gen/spearlet/function_pb.js';
import { durationText } from '../duration.ts';
import { collectStatus } from '../execution-filter.ts';
import { remarks } from '../execution-status.ts';
import { exitCodes } from '../exit-codes.ts';
import { collectPairs, instant, wholeNumber } from '../flag.ts';
import { inListFlags } from '../flag-words.ts';
import { statusText } from '../outcome.ts';
import { onServer, type Session } from '../session.ts';
import { note, type Shell } from '../shell.ts';
import { Table } from '../table.ts';
import { UsageError } from '../usage-error.ts';

interface Options {
  readonly task?: string;
  readonly status?: readonly ExecutionStatus[];
  readonly since?: number;
  readonly until?: number;
  readonly limit?: number;
  readonly label?: Readonly<Record<string, string>>;
  readonly allTenants?: boolean;
  readonly batch?: string;
  readonly schedule?: string;
}

const largestPage = 1000;
/** More than a screen, and less than what pushes the newest out of sight. */
const terminalLimit = 50;

export function listCommand(shell: Shell): Command {
  const command = new Command('list')
    .description('list executions, newest first; times are UTC')
    .option('--task <task>', 'only of this task, by name or id')
    .option(
      '--status <status>',
      `only in this status: ${executionStatuses.join(', ')} (repeatable)`,
      collectStatus(),
    )
    .option('--batch <id>', 'only members of this batch')
    .option('--label <key=value>', 'only with this label (repeatable)', collectPairs('--label', 'KEY=VALUE'))
    .option(
      '--since <time>',
      'only created since, such as 2h (ago) or 2026-05-31T12:00:00Z',
      instant('--since'),
    )
    .option('--until <time>', 'only created until, in the same words', instant('--until'))
    .option('--schedule <name>', 'only what this schedule has fired')
    .option('--all-tenants', 'those of all tenants; for administrators')
    .option(
      '--limit <n>',
      `how many, the newest first; 0 is all (default: ${terminalLimit} on a terminal, else all)`,
      wholeNumber('--limit'),
    );
  onServer<Options>(
    command,
    shell,
    async (session, options) => {
      const { since, until } = options;
      if (since !== undefined && until !== undefined && since >= until) {
        throw new UsageError(
          `--since: is ${new Date(since).toISOString()}; allowed is a time before --until, ${new Date(until).toISOString()}`,
        );
      }
      const onTerminal = shell.out.isTerminal && !session.json;
      const limit = options.limit ?? (onTerminal ? terminalLimit : 0);
      const most = limit === 0 ? Number.POSITIVE_INFINITY : limit;
      if (session.json) {
        const all: ExecutionResult[] = [];
        for await (const { executions } of pages(session, options, most)) all.push(...executions);
        await session.printDocument(
          ListExecutionsResponseSchema,
          create(ListExecutionsResponseSchema, { executions: all }),
        );
        return exitCodes.completed.code;
      }
      const { allTenants = false } = options;
      const table = new Table(shell.out, allTenants ? ['TENANT', ...columns] : columns, {
        optional: ['NOTES', 'TIME', 'CREATED', 'ERROR'],
        elastic: ['TASK'],
      });
      let hasMore = false;
      for await (const page of pages(session, options, most)) {
        await table.write(
          page.executions.map((each) => [...(allTenants ? [each.tenant] : []), ...row(each, onTerminal)]),
        );
        hasMore = page.hasMore;
      }
      if (hasMore && options.limit === undefined) {
        await note(shell, `the newest ${limit}; --limit 0 lists all, --since and --status fewer`);
      }
      return exitCodes.completed.code;
    },
    inListFlags,
  );
  return command;
}

const columns = ['EXECUTION', 'TASK', 'STATUS', 'ERROR', 'CREATED', 'TIME', 'NOTES'];

interface Page {
  readonly executions: readonly ExecutionResult[];
  /** There are others, which are not asked for where `most` is reached. */
  readonly hasMore: boolean;
}

async function* pages(
  session: Session,
  {
    task = '',
    status = [],
    since,
    until,
    label = {},
    allTenants = false,
    batch = '',
    schedule = '',
  }: Options,
  most: number,
): AsyncGenerator<Page> {
  let pageToken = '';
  let left = most;
  do {
    const { executions, nextPageToken } = await session.functions.listExecutions({
      task,
      statuses: [...status],
      labels: { ...label },
      allTenants,
      batchId: batch,
      schedule,
      ...(since !== undefined && { createdAfter: timestampFromMs(since) }),
      ...(until !== undefined && { createdBefore: timestampFromMs(until) }),
      pageSize: Math.min(largestPage, left),
      pageToken,
    });
    left -= executions.length;
    yield { executions, hasMore: nextPageToken !== '' };
    pageToken = nextPageToken;
  } while (pageToken !== '' && left > 0);
}

function row(result: ExecutionResult, onTerminal: boolean): readonly string[] {
  const { errorCode, createdAt } = result;
  // A person is told which function, before the interface that it is of takes all the room.
  const name = onTerminal
    ? result.functionName.slice(result.functionName.indexOf('#') + 1)
    : result.functionName;
  return [
    result.executionId,
    name === '' ? result.taskName : `${result.taskName} ${name}`,
    statusText(result.status),
    errorCode === ErrorCode.UNSPECIFIED ? '-' : (ErrorCode[errorCode] ?? String(errorCode)),
    createdAt === undefined ? '-' : timestampDate(createdAt).toISOString(),
    result.startedAt === undefined ? '-' : durationText(result.executionTimeMs),
    remarks(result).join(', '),
  ];
}
