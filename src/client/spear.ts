import { randomUUID } from 'node:crypto';
import { durationFromMs, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { ExecutionMode } from '../server/gen/spearlet/function_pb.js';
import { Aliases } from './aliases.ts';
import { Batch, Batches } from './batches.ts';
import { ExecutionFailed } from './errors.ts';
import { type CallOptions, Execution } from './execution.ts';
import { ExecutionResult } from './execution-result.ts';
import { type InvokeOptions, requestOf } from './invocation.ts';
import type { NodeCalls } from './node-calls.ts';
import { Schedules } from './schedules.ts';
import { Tasks } from './tasks.ts';
import { waitForWhole, wholeResult } from './whole-result.ts';
import { type StatusName, statusValues } from './wire-names.ts';

/**
 * How long the call of `invoke` waits before others take over: its answer tells the id, by which a wait goes on over
 * another connection.
 */
const firstAnswerMs = 250;

export interface ListOptions extends CallOptions {
  /** By name or id. */
  readonly task?: string;
  /** Of any of these. */
  readonly statuses?: readonly StatusName[];
  /** Members of this batch, by its id. */
  readonly batch?: string;
  /** What the schedule of this name has fired. */
  readonly schedule?: string;
  /** That have all of these. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly createdAfter?: Date;
  readonly createdBefore?: Date;
  /** Those of all tenants; for administrators. */
  readonly allTenants?: boolean;
}

/** A node, as its callers use it. */
export class Spear {
  readonly tasks: Tasks;
  readonly batches: Batches;
  readonly schedules: Schedules;
  readonly aliases: Aliases;
  readonly #calls: NodeCalls;
  readonly #close: () => void;

  /** @internal */
  constructor(calls: NodeCalls, close: () => void) {
    this.#calls = calls;
    this.#close = close;
    this.tasks = new Tasks(calls);
    this.batches = new Batches(calls);
    this.schedules = new Schedules(calls);
    this.aliases = new Aliases(calls);
  }

  /**
   * Runs a function once and resolves with its result, however often the connection breaks meanwhile. Rejects with
   * ExecutionFailed where it did not complete, with SpearError where it was refused, and with the signal's reason
   * where that aborts.
   */
  async invoke(task: string, options: InvokeOptions = {}): Promise<ExecutionResult> {
    const { signal, cancelOnDisconnect = false } = options;
    const invocationId = options.invocationId ?? newInvocationId();
    const answer = await this.#calls.repeated(async () => {
      const request = {
        ...requestOf(task, invocationId, options),
        executionMode: ExecutionMode.SYNC,
        // The call has to stay where its end is to cancel.
        ...(!cancelOnDisconnect && { waitBudget: durationFromMs(firstAnswerMs) }),
      };
      return this.#calls.functions.invokeFunction(request, callWith(signal));
    }, signal);
    const { executionId, result } = answer;
    const ended = await this.#calls.once(
      () =>
        result?.isCompleted === true
          ? wholeResult(this.#calls, result, signal)
          : waitForWhole(this.#calls, executionId, signal),
      signal,
    );
    if (ended.status !== 'COMPLETED') throw new ExecutionFailed(ended);
    return ended;
  }

  /** Starts a function once, and resolves when that is on the node's disk. Rejects with SpearError. */
  async start(task: string, options: InvokeOptions = {}): Promise<Execution> {
    const { signal } = options;
    const invocationId = options.invocationId ?? newInvocationId();
    const { executionId, joined } = await this.#calls.repeated(async () => {
      const request = { ...requestOf(task, invocationId, options), executionMode: ExecutionMode.ASYNC };
      return this.#calls.functions.invokeFunction(request, callWith(signal));
    }, signal);
    // With an id of ours, who was there before was an earlier try of this call.
    return new Execution(this.#calls, executionId, joined && options.invocationId !== undefined);
  }

  /** One that is there, by its id. Nothing is asked of the node yet. */
  execution(id: string): Execution {
    return new Execution(this.#calls, id);
  }

  /** A batch that is there, by its id. Nothing is asked of the node yet. */
  batch(id: string): Batch {
    return new Batch(this.#calls, id);
  }

  /** Executions, newest first and without their output, over as many calls as it takes. */
  async *list(options: ListOptions = {}): AsyncGenerator<ExecutionResult, void, undefined> {
    const { task = '', statuses = [], labels, createdAfter, createdBefore, allTenants = false } = options;
    const { batch: batchId = '', schedule = '', signal } = options;
    let pageToken = '';
    do {
      const request = {
        ...{ task, batchId, schedule },
        statuses: statuses.map((name) => statusValues[name]),
        labels: { ...labels },
        allTenants,
        pageToken,
        ...(createdAfter !== undefined && { createdAfter: timestampFromDate(createdAfter) }),
        ...(createdBefore !== undefined && { createdBefore: timestampFromDate(createdBefore) }),
      };
      const page = await this.#calls.repeated(
        () => this.#calls.functions.listExecutions(request, callWith(signal)),
        signal,
      );
      for (const each of page.executions) yield new ExecutionResult(each);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }

  /** Ends the connection. What was started goes on. */
  close(): void {
    this.#close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function newInvocationId(): string {
  return `client-${randomUUID()}`;
}

function callWith(signal: AbortSignal | undefined): CallOptions {
  return signal === undefined ? {} : { signal };
}
