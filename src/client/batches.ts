import { randomUUID } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import {
  type BatchMemberSchema,
  MemberFailurePolicy,
  type BatchMemberState as MemberMessage,
  type Batch as Message,
  RestartPolicy,
  type SupervisionSchema,
  SupervisionStrategy,
} from '../server/gen/spearlet/batch_pb.js';
import { errorFor } from './errors.ts';
import type { CallOptions } from './execution.ts';
import { dateOf } from './execution-result.ts';
import { type InvokeOptions, requestOf } from './invocation.ts';
import type { NodeCalls } from './node-calls.ts';
import {
  type ErrorCodeName,
  errorCodeName,
  type StatusName,
  statusName,
  statusValues,
} from './wire-names.ts';

/** One invocation of a batch. */
export interface BatchMember extends Omit<InvokeOptions, 'invocationId' | 'cancelOnDisconnect' | 'signal'> {
  readonly task: string;
  /** By which others of the batch follow it: their `dependsOn` names it. */
  readonly name?: string;
  /** Under a supervisor; absent is PERMANENT. */
  readonly restart?: 'PERMANENT' | 'TRANSIENT' | 'TEMPORARY';
}

export interface StartBatchOptions extends CallOptions {
  /** As of an invocation: the same one with the same members joins the batch that is there. */
  readonly invocationId?: string;
  readonly onMemberFailure?: 'CONTINUE' | 'CANCEL_OTHERS';
  /** For members that run on: docs/supervision.md. */
  readonly supervision?: {
    readonly strategy: 'ONE_FOR_ONE' | 'ONE_FOR_ALL' | 'REST_FOR_ONE';
    readonly intensity?: number;
    readonly withinMs?: number;
    readonly backoffMs?: number;
    readonly maxBackoffMs?: number;
  };
}

/** How a batch stands. */
export interface BatchStatus {
  readonly batchId: string;
  readonly tenant: string;
  readonly invocationId: string;
  readonly taskNames: readonly string[];
  readonly createdAt: Date | undefined;
  readonly completedAt: Date | undefined;
  /** How many there are, and of them in each state. */
  readonly members: number;
  readonly pending: number;
  readonly running: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly timedOut: number;
  /** All members have ended. */
  readonly isCompleted: boolean;
  readonly cancelling: boolean;
}

/** How a member stands, or ended. */
export interface BatchMemberState {
  /** From 0, in the order of the batch. */
  readonly member: number;
  readonly name: string;
  readonly executionId: string;
  readonly taskName: string;
  readonly status: StatusName;
  /** Absent where it has not failed. */
  readonly errorCode: ErrorCodeName | undefined;
  readonly endedAt: Date | undefined;
  /** Of its end in the log of the batch, from 1; 0 before. */
  readonly sequence: number;
  /** How often it began again. */
  readonly restarts: number;
}

/** Members of one message, of which there may be many. */
const membersAtOnce = 500;
/** One call waits for so long at most: proxies cut what is silent for minutes. */
const oneWaitMs = 30_000;

/** Executions that were accepted together, whoever started them. */
export class Batch {
  readonly id: string;
  /** The call that returned it found it by its `invocationId`. */
  readonly joined: boolean;
  readonly #calls: NodeCalls;

  /** @internal */
  constructor(calls: NodeCalls, id: string, joined = false) {
    this.#calls = calls;
    this.id = id;
    this.joined = joined;
  }

  async status({ signal }: CallOptions = {}): Promise<BatchStatus> {
    const call = () => this.#calls.batches.getBatch({ batchId: this.id }, callWith(signal));
    return statusOf((await this.#calls.repeated(call, signal)).batch);
  }

  /** Waits until all members have ended, over as many calls and connections as it takes, and resolves however they did. */
  async ended({ signal }: CallOptions = {}): Promise<BatchStatus> {
    const request = { batchId: this.id, waitBudget: durationFromMs(oneWaitMs) };
    for (;;) {
      const call = () => this.#calls.batches.waitBatch(request, callWith(signal));
      const { batch } = await this.#calls.repeated(call, signal);
      if (batch?.isCompleted === true) return statusOf(batch);
    }
  }

  /** The ends of members from the one numbered `from` on, each once and in order, until all have ended. */
  async *ends({
    from = 1,
    signal,
  }: CallOptions & { from?: number } = {}): AsyncGenerator<BatchMemberState, void, undefined> {
    const reattachment = this.#calls.reattachment(signal);
    let next = from;
    try {
      signal?.throwIfAborted();
      for (;;) {
        try {
          const request = { batchId: this.id, fromSequence: BigInt(next) };
          for await (const { event } of this.#calls.batches.watchBatch(request, callWith(signal))) {
            reattachment.succeeded();
            if (event.case === 'batch' && event.value.isCompleted) return;
            if (event.case !== 'member') continue;
            next = Number(event.value.sequence) + 1;
            yield memberOf(event.value);
          }
          await reattachment.pause();
        } catch (error) {
          await reattachment.afterLoss(error);
        }
      }
    } catch (error) {
      throw errorFor(error, signal);
    }
  }

  /** In the order of the batch, over as many calls as it takes; of any of these statuses, or all. */
  async *members({
    statuses = [],
    signal,
  }: CallOptions & { statuses?: readonly StatusName[] } = {}): AsyncGenerator<
    BatchMemberState,
    void,
    undefined
  > {
    let pageToken = '';
    do {
      const request = {
        ...{ batchId: this.id, pageToken, pageSize: 1000 },
        statuses: statuses.map((name) => statusValues[name]),
      };
      const call = () => this.#calls.batches.listBatchMembers(request, callWith(signal));
      const page = await this.#calls.repeated(call, signal);
      for (const each of page.members) yield memberOf(each);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }

  /** Asks for the end of all that has not ended. Resolves with whether that changed anything, when it is on disk. */
  async cancel({ reason = '', signal }: CallOptions & { reason?: string } = {}): Promise<boolean> {
    const call = () => this.#calls.batches.cancelBatch({ batchId: this.id, reason }, callWith(signal));
    return (await this.#calls.repeated(call, signal)).changed;
  }
}

/** The batches of a node. */
export class Batches {
  readonly #calls: NodeCalls;

  /** @internal */
  constructor(calls: NodeCalls) {
    this.#calls = calls;
  }

  /**
   * Starts up to 10 000 invocations together, all or none, and resolves when they are on the node's disk. Rejects with
   * SpearError, which names the member that is refused.
   */
  async start(members: Iterable<BatchMember>, options: StartBatchOptions = {}): Promise<Batch> {
    const { signal, supervision, onMemberFailure } = options;
    const invocationId = options.invocationId ?? `client-${randomUUID()}`;
    const answer = await this.#calls.repeated(async () => {
      const asked = {
        invocationId,
        ...(onMemberFailure !== undefined && { onMemberFailure: MemberFailurePolicy[onMemberFailure] }),
        ...(supervision !== undefined && { supervision: supervisionOf(supervision) }),
      };
      const all = [...members].map(memberRequest);
      return this.#calls.batches.invokeBatchFromStream(parts(asked, all), callWith(signal));
    }, signal);
    // With an id of ours, who was there before was an earlier try of this call.
    const joined = answer.joined && options.invocationId !== undefined;
    return new Batch(this.#calls, statusOf(answer.batch).batchId, joined);
  }

  /** Newest first, over as many calls as it takes. */
  async *list({ signal }: CallOptions = {}): AsyncGenerator<BatchStatus, void, undefined> {
    let pageToken = '';
    do {
      const call = () => this.#calls.batches.listBatches({ pageToken }, callWith(signal));
      const page = await this.#calls.repeated(call, signal);
      for (const each of page.batches) yield statusOf(each);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }
}

type MemberRequest = MessageInitShape<typeof BatchMemberSchema>;

async function* parts<Options>(options: Options, members: readonly MemberRequest[]) {
  yield { options };
  for (let from = 0; from < members.length; from += membersAtOnce) {
    yield { members: members.slice(from, from + membersAtOnce) };
  }
}

function memberRequest({ task, name = '', restart, ...options }: BatchMember): MemberRequest {
  const invocation = requestOf(task, '', options);
  return { name, invocation, ...(restart !== undefined && { restart: RestartPolicy[restart] }) };
}

function supervisionOf(
  wanted: NonNullable<StartBatchOptions['supervision']>,
): MessageInitShape<typeof SupervisionSchema> {
  const { strategy, intensity, withinMs, backoffMs, maxBackoffMs } = wanted;
  return {
    strategy: SupervisionStrategy[strategy],
    ...(intensity !== undefined && { intensity }),
    ...(withinMs !== undefined && { within: durationFromMs(withinMs) }),
    ...(backoffMs !== undefined && { backoff: durationFromMs(backoffMs) }),
    ...(maxBackoffMs !== undefined && { maxBackoff: durationFromMs(maxBackoffMs) }),
  };
}

function statusOf(message: Message | undefined): BatchStatus {
  if (message === undefined) throw new Error('the server answered without the batch');
  const { batchId, tenant, invocationId, taskNames, members, isCompleted, cancelling } = message;
  const { pending, running, completed, failed, cancelled, timedOut } = message;
  return {
    ...{ batchId, tenant, invocationId, taskNames, members, isCompleted, cancelling },
    ...{ pending, running, completed, failed, cancelled, timedOut },
    createdAt: dateOf(message.createdAt),
    completedAt: dateOf(message.completedAt),
  };
}

function memberOf(message: MemberMessage): BatchMemberState {
  const { member, name, executionId, taskName, restarts } = message;
  return {
    ...{ member, name, executionId, taskName, restarts },
    status: statusName(message.status),
    errorCode: errorCodeName(message.errorCode),
    endedAt: dateOf(message.endedAt),
    sequence: Number(message.sequence),
  };
}

function callWith(signal: AbortSignal | undefined): CallOptions {
  return signal === undefined ? {} : { signal };
}
