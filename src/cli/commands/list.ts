import { create } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { Command } from 'commander';
import { executionStatuses } from '../../domain/execution.ts';
import {
  ErrorCode,
  type ExecutionResult,
  ExecutionStatus,
  ListExecutionsResponseSchema,
} from '../../server/gen/spearlet/function_pb.js';
import { durationText } from '../duration.ts';
import { exitCodes } from '../exit-codes.ts';
import { oneOf } from '../flag.ts';
import { statusText } from '../outcome.ts';
import { onServer, type Session } from '../session.ts';
import type { Shell } from '../shell.ts';
import { remarks } from '../standing.ts';
import { Table } from '../table.ts';

interface Options {
  readonly task?: string;
  readonly status?: readonly ExecutionStatus[];
}

const largestPage = 1000;

export function listCommand(shell: Shell): Command {
  const parseStatus = oneOf('--status', executionStatuses);
  const collectStatus = (
    text: string,
    before: readonly ExecutionStatus[] = [],
  ): readonly ExecutionStatus[] => [
    ...before,
    ...text.split(',').map((word) => ExecutionStatus[wireName(parseStatus(word))]),
  ];
  const command = new Command('list')
    .description('list executions, newest first')
    .option('--task <task>', 'only of this task, by name or id')
    .option(
      '--status <status>',
      `only in this status: ${executionStatuses.join(', ')} (repeatable)`,
      collectStatus,
    );
  onServer<Options>(command, shell, async (session, options) => {
    if (session.json) {
      const all: ExecutionResult[] = [];
      for await (const page of pages(session, options)) all.push(...page);
      await session.printDocument(
        ListExecutionsResponseSchema,
        create(ListExecutionsResponseSchema, { executions: all }),
      );
    } else {
      const columns = ['EXECUTION', 'TASK', 'STATUS', 'ERROR', 'CREATED', 'TIME', 'NOTES'];
      const table = new Table(shell.out, columns);
      for await (const page of pages(session, options)) await table.write(page.map(row));
    }
    return exitCodes.completed.code;
  });
  return command;
}

function wireName(
  status: (typeof executionStatuses)[number],
): Exclude<keyof typeof ExecutionStatus, 'UNSPECIFIED'> {
  switch (status) {
    case 'pending':
      return 'PENDING';
    case 'running':
      return 'RUNNING';
    case 'completed':
      return 'COMPLETED';
    case 'failed':
      return 'FAILED';
    case 'cancelled':
      return 'CANCELLED';
    case 'timedOut':
      return 'TIMED_OUT';
  }
}

async function* pages(
  session: Session,
  { task = '', status = [] }: Options,
): AsyncGenerator<ExecutionResult[]> {
  let pageToken = '';
  do {
    const request = { task, statuses: [...status], pageSize: largestPage, pageToken };
    const page = await session.functions.listExecutions(request);
    yield page.executions;
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
}

function row(result: ExecutionResult): readonly string[] {
  const { errorCode, createdAt } = result;
  return [
    result.executionId,
    result.functionName === '' ? result.taskName : `${result.taskName} ${result.functionName}`,
    statusText(result.status),
    errorCode === ErrorCode.UNSPECIFIED ? '-' : (ErrorCode[errorCode] ?? String(errorCode)),
    createdAt === undefined ? '-' : timestampDate(createdAt).toISOString(),
    result.startedAt === undefined ? '-' : durationText(result.executionTimeMs),
    remarks(result).join(', '),
  ];
}
