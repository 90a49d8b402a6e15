import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, timestampDate } from '@bufbuild/protobuf/wkt';
import { Command } from 'commander';
import { executionStatuses } from '../../domain/execution.ts';
import {
  type Batch,
  type BatchMember,
  type BatchMemberState,
  CancelBatchResponseSchema,
  GetBatchResponseSchema,
  type InvokeBatchFromStreamRequestSchema,
  InvokeBatchFromStreamResponseSchema,
  ListBatchesResponseSchema,
  ListBatchMembersResponseSchema,
  MemberFailurePolicy,
  WaitBatchResponseSchema,
  WatchBatchResponseSchema,
} from '../../server/gen/spearlet/batch_pb.js';
import { ErrorCode, ExecutionStatus } from '../../server/gen/spearlet/function_pb.js';
import { readMembers } from '../batch-file.ts';
import {
  type SupervisionFlags,
  supervisionOf,
  supervisionText,
  supervisionTree,
  withSupervisionFlags,
} from '../batch-supervision.ts';
import { exitCodes } from '../exit-codes.ts';
import { duration, oneOf, wholeNumber } from '../flag.ts';
import { inBatchWords } from '../flag-words.ts';
import { LiveLine } from '../live-line.ts';
import { openLocalStream } from '../local-stream.ts';
import { statusText } from '../outcome.ts';
import { onServer, type Session } from '../session.ts';
import { note, type Shell } from '../shell.ts';
import { account, Table } from '../table.ts';
import { UsageError } from '../usage-error.ts';

/** Members that are sent in one message. */
const membersAtOnce = 250;
const page = 500;

export function batchCommand(shell: Shell): Command {
  return (
    new Command('batch')
      .description(
        'run the invocations of a file together, all or none, and follow them; or look after such batches',
      )
      .usage('FILE [options]\n       spear batch list|status|wait|watch|cancel [options]')
      // Of the first of the commands below, which needs not to be named.
      .argument('[file]', 'a JSON object a line')
      .addCommand(runCommand(shell), { isDefault: true })
      .addCommand(listCommand(shell))
      .addCommand(statusCommand(shell))
      .addCommand(waitCommand(shell))
      .addCommand(watchCommand(shell))
      .addCommand(cancelCommand(shell))
  );
}

interface RunOptions extends SupervisionFlags {
  readonly task?: string;
  readonly invocationId?: string;
  readonly onMemberFailure: 'continue' | 'cancel-others';
  readonly detach?: boolean;
}

function runCommand(shell: Shell): Command {
  const command = new Command('run')
    .description('run the invocations of a file; without --detach, until all have ended')
    .usage('FILE [options]')
    .argument(
      '<file>',
      'a JSON object a line: name, task, depends_on, restart and whatever an invocation has; - is stdin',
    )
    .option('--task <task>', 'of the lines that name none')
    .option('--invocation-id <id>', 'idempotency key: the same id with the same lines joins the same batch')
    .option(
      '--on-member-failure <policy>',
      'continue, or cancel-others: what becomes of the others when one does not complete',
      oneOf('--on-member-failure', ['continue', 'cancel-others']),
      'continue',
    )
    .option('--detach', 'print the id of the batch, and do not wait');
  onServer<RunOptions>(
    withSupervisionFlags(command),
    shell,
    async (session, options, [file = '']) => {
      if (file === '-' && shell.stdin.isTTY === true) {
        throw new UsageError('stdin: is a terminal; allowed is a file or a pipe');
      }
      const { bytes } = await openLocalStream('FILE', file, shell);
      const members = readMembers(bytes, file === '-' ? 'stdin' : file, options.task);
      let sent = 0;
      const sending = new LiveLine(shell, () => `${sent} invocations sent`);
      sending.start();
      const answer = await session.batches
        .invokeBatchFromStream(
          messages(options, members, (count) => {
            sent += count;
          }),
        )
        .finally(() => sending.stop());
      const { batch } = answer;
      if (options.detach === true || batch === undefined) {
        if (session.json) await session.printDocument(InvokeBatchFromStreamResponseSchema, answer);
        else await shell.out.write(`${batch?.batchId ?? ''}\n`);
        return exitCodes.completed.code;
      }
      if (!session.json) await note(shell, `${batch.batchId}: ${batch.members} invocations accepted`);
      return follow(session, batch.batchId, 0n);
    },
    inBatchWords,
  );
  return command;
}

type Message = MessageInitShape<typeof InvokeBatchFromStreamRequestSchema>;

async function* messages(
  { invocationId = '', onMemberFailure, ...flags }: RunOptions,
  members: AsyncIterable<BatchMember>,
  sent: (count: number) => void,
): AsyncGenerator<Message> {
  const cancels = onMemberFailure === 'cancel-others';
  const supervision = supervisionOf(flags);
  yield {
    options: {
      invocationId,
      onMemberFailure: cancels ? MemberFailurePolicy.CANCEL_OTHERS : MemberFailurePolicy.UNSPECIFIED,
      ...(supervision !== undefined && { supervision }),
    },
  };
  let some: BatchMember[] = [];
  for await (const member of members) {
    some.push(member);
    if (some.length < membersAtOnce) continue;
    yield { members: some };
    sent(some.length);
    some = [];
  }
  if (some.length > 0) yield { members: some };
  sent(some.length);
}

/** Says which members did not complete, and how many of each there are; the exit code. */
async function follow(session: Session, batchId: string, fromSequence: bigint): Promise<number> {
  const { shell } = session;
  let ended = 0;
  let failed = 0;
  const line = new LiveLine(shell, () => `${ended} ended, ${failed} of them did not complete`);
  line.start();
  let last: Batch | undefined;
  try {
    for await (const message of session.batches.watchBatch({ batchId, fromSequence })) {
      const { event } = message;
      if (session.json) await session.printLine(WatchBatchResponseSchema, message);
      if (event.case === 'batch') last = event.value;
      if (event.case !== 'member') continue;
      ended += 1;
      if (event.value.status === ExecutionStatus.COMPLETED) continue;
      failed += 1;
      if (!session.json) await line.aside(() => shell.out.write(`${memberText(event.value)}\n`));
    }
  } finally {
    await line.stop();
  }
  if (last === undefined) return exitCodes.refused.code;
  if (!session.json) await note(shell, `${batchId}: ${countsText(last)}${whyText(last)}`);
  return exitCodeOf(last);
}

function exitCodeOf({ isCompleted, completed, members }: Batch): number {
  if (!isCompleted) return exitCodes.refused.code;
  return (completed === members ? exitCodes.completed : exitCodes.functionError).code;
}

function memberText({ member, name, executionId, status, errorCode }: BatchMemberState): string {
  const code = errorCode === ErrorCode.UNSPECIFIED ? '' : ` ${ErrorCode[errorCode] ?? ''}`;
  return `${name === '' ? `#${member}` : name} ${executionId} ${statusText(status)}${code}`;
}

function countsText(batch: Batch): string {
  const { members, pending, running, completed, failed, cancelled, timedOut } = batch;
  const counts = { pending, running, completed, failed, cancelled, 'timed out': timedOut };
  const words = Object.entries(counts).filter(([, count]) => count > 0);
  return `${members} invocations: ${words.map(([word, count]) => `${count} ${word}`).join(', ')}`;
}

/** Of a supervised one that ended before its members did by themselves. */
function whyText({ supervision }: Batch): string {
  return supervision === undefined || supervision.endMessage === '' ? '' : `; ${supervision.endMessage}`;
}

function listCommand(shell: Shell): Command {
  const command = new Command('list')
    .description('list batches, newest first; times are UTC')
    .option('--limit <n>', 'so many at most', wholeNumber('--limit'));
  onServer<{ readonly limit?: number }>(command, shell, async (session, { limit = 50 }) => {
    const answer = await session.batches.listBatches({ pageSize: Math.min(1000, Math.max(1, limit)) });
    if (session.json) {
      await session.printDocument(ListBatchesResponseSchema, answer);
      return exitCodes.completed.code;
    }
    const table = new Table(shell.out, ['BATCH', 'CREATED', 'STATE', 'MEMBERS'], { elastic: ['MEMBERS'] });
    await table.write(
      answer.batches.map((batch) => [
        batch.batchId,
        batch.createdAt === undefined ? '' : timestampDate(batch.createdAt).toISOString(),
        stateText(batch),
        countsText(batch),
      ]),
    );
    return exitCodes.completed.code;
  });
  return command;
}

function stateText({ isCompleted, cancelling }: Batch): string {
  if (isCompleted) return 'ended';
  return cancelling ? 'being cancelled' : 'under way';
}

function statusCommand(shell: Shell): Command {
  const command = new Command('status')
    .description('show a batch as it is now, and its members in a status')
    .argument('<id>', 'batch id')
    .option(
      '--members <status>',
      `list the members in this status: ${executionStatuses.join(', ')}, or all`,
      oneOf('--members', [...executionStatuses, 'all']),
    );
  onServer<{ readonly members?: (typeof executionStatuses)[number] | 'all' }>(
    command,
    shell,
    async (session, options, [batchId = '']) => {
      const answer = await session.batches.getBatch({ batchId });
      const { batch } = answer;
      if (options.members === undefined) {
        if (session.json) await session.printDocument(GetBatchResponseSchema, answer);
        else if (batch !== undefined) {
          await shell.out.write(account(entriesOf(batch)));
          if (batch.supervision !== undefined) await tree(session, batchId);
        }
        return exitCodes.completed.code;
      }
      await members(session, batchId, options.members);
      return exitCodes.completed.code;
    },
    inBatchWords,
  );
  return command;
}

/** The members under their supervisor; a supervised batch has no more than a page of them. */
async function tree(session: Session, batchId: string): Promise<void> {
  const { members } = await session.batches.listBatchMembers({ batchId, pageSize: page });
  await session.shell.out.write(supervisionTree(members));
}

function onFailureText({ onMemberFailure }: Batch): string {
  return onMemberFailure === MemberFailurePolicy.CANCEL_OTHERS ? 'cancel others' : 'continue';
}

function entriesOf(batch: Batch): [string, string][] {
  const { supervision } = batch;
  const instant = (time: Batch['createdAt']): string =>
    time === undefined ? '' : timestampDate(time).toISOString();
  return [
    ['batch', batch.batchId],
    ['state', stateText(batch)],
    ['members', countsText(batch)],
    ['layers', String(batch.layers)],
    ['tasks', batch.taskNames.join(', ')],
    ['created', instant(batch.createdAt)],
    ...(batch.completedAt === undefined ? [] : [['ended', instant(batch.completedAt)] as [string, string]]),
    ...(supervision === undefined
      ? [['on failure', onFailureText(batch)] as [string, string]]
      : [['supervisor', supervisionText(supervision)] as [string, string]]),
    ...(supervision === undefined || supervision.endMessage === ''
      ? []
      : [['why', supervision.endMessage] as [string, string]]),
  ];
}

async function members(session: Session, batchId: string, wanted: string): Promise<void> {
  const { shell } = session;
  const name = wanted === 'timedOut' ? 'TIMED_OUT' : wanted.toUpperCase();
  const status = ExecutionStatus[name as keyof typeof ExecutionStatus];
  const statuses = wanted === 'all' ? [] : [status];
  const table = new Table(shell.out, ['MEMBER', 'NAME', 'EXECUTION', 'STATUS', 'ERROR'], {
    elastic: ['NAME'],
  });
  for (let pageToken = ''; ; ) {
    const answer = await session.batches.listBatchMembers({ batchId, statuses, pageToken, pageSize: page });
    if (session.json) await session.printLine(ListBatchMembersResponseSchema, answer);
    else {
      await table.write(
        answer.members.map((each) => [
          `#${each.member}`,
          each.name,
          each.executionId,
          statusText(each.status),
          each.errorCode === ErrorCode.UNSPECIFIED ? '' : (ErrorCode[each.errorCode] ?? ''),
        ]),
      );
    }
    pageToken = answer.nextPageToken;
    if (pageToken === '') return;
  }
}

function waitCommand(shell: Shell): Command {
  const command = new Command('wait')
    .description('wait until all members of a batch have ended')
    .argument('<id>', 'batch id')
    .option('--timeout <duration>', 'how long to wait, such as 30s', duration('--timeout'));
  onServer<{ readonly timeout?: number }>(
    command,
    shell,
    async (session, { timeout }, [batchId = '']) => {
      const answer = await session.batches.waitBatch({
        batchId,
        ...(timeout !== undefined && { waitBudget: durationFromMs(timeout) }),
      });
      if (session.json) await session.printDocument(WaitBatchResponseSchema, answer);
      else if (answer.batch !== undefined) await shell.out.write(`${countsText(answer.batch)}\n`);
      return answer.batch === undefined ? exitCodes.refused.code : exitCodeOf(answer.batch);
    },
    inBatchWords,
  );
  return command;
}

function watchCommand(shell: Shell): Command {
  const command = new Command('watch')
    .description('follow the ends of the members of a batch, and say which do not complete')
    .argument('<id>', 'batch id')
    .option('--from <n>', 'from this sequence number of the batch on', wholeNumber('--from'));
  onServer<{ readonly from?: number }>(
    command,
    shell,
    (session, { from = 0 }, [batchId = '']) => follow(session, batchId, BigInt(from)),
    inBatchWords,
  );
  return command;
}

function cancelCommand(shell: Shell): Command {
  const command = new Command('cancel')
    .description('end all members of a batch that have not ended')
    .argument('<id>', 'batch id')
    .option('--reason <text>', 'for people; kept in the logs of the members');
  onServer<{ readonly reason?: string }>(
    command,
    shell,
    async (session, { reason = '' }, [batchId = '']) => {
      const answer = await session.batches.cancelBatch({ batchId, reason });
      if (session.json) await session.printDocument(CancelBatchResponseSchema, answer);
      else if (answer.batch !== undefined) {
        await note(shell, `${batchId}: ${answer.changed ? 'is being cancelled' : stateText(answer.batch)}`);
      }
      return exitCodes.completed.code;
    },
    inBatchWords,
  );
  return command;
}
