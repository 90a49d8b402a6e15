/** Clients of a cluster: they ask again, of any node, with their invocation ids, and watch from node to node. */
import { setTimeout as pause } from 'node:timers/promises';
import { ExecutionMode, type StreamExecutionResult } from '../../src/server/gen/spearlet/function_pb.js';
import type { Random } from '../crash/random.ts';
import { collect } from '../server/collect.ts';
import type { ChildServer } from '../support/server.ts';
import type { ClusterNode } from './cluster-nodes.ts';
import type { Kind } from './kinds.ts';
import { type Mode, modes, type Told } from './told.ts';

/** A call that has not ended by then is stuck: no fault of a round lasts so long. */
const stuckMs = 150_000;
const answerMs = 5000;
const followMs = 15_000;

export interface LoadParts {
  readonly nodes: readonly ClusterNode[];
  readonly kinds: readonly Kind[];
  readonly random: Random;
  /** Says why an execution may not have ended. */
  readonly explain: (executionId: string) => Promise<string>;
}

export class Load {
  readonly told: Told[] = [];
  readonly #parts: LoadParts;
  #count = 0;
  #closed = false;

  constructor(parts: LoadParts) {
    this.#parts = parts;
  }

  /** Resolves when what it asked for has ended, as it has heard; or when it is stuck. */
  async one(): Promise<void> {
    const { kinds, random: all } = this.#parts;
    const random = all.fork();
    const kind = random.weighted(kinds.map((each) => [each.weight, each]));
    const mode = random.weighted<Mode>([
      [2, modes[0]],
      [1, modes[1]],
      [1, modes[2]],
    ]);
    const { args, beats } = kind.draw(random);
    this.#count += 1;
    const told: Told = {
      ...{ kind, mode, beats, invocationId: `invocation-${this.#count}` },
      ...{ executionIds: new Set<string>(), heard: [], ends: [], wasToEnd: false, isCancelled: false },
      ...{ wrong: [], isExplained: false },
    };
    this.told.push(told);
    const call = new Call(told, args, random, this);
    const patience = new AbortController();
    const stuck = pause(stuckMs, 'stuck', { signal: patience.signal }).catch(() => 'ended');
    if ((await Promise.race([call.run(), stuck])) === 'stuck') {
      call.giveUp();
      const [executionId = ''] = told.executionIds;
      told.isExplained = true;
      told.wrong.push(`has not ended after ${stuckMs} ms\n${await this.#parts.explain(executionId)}`);
    }
    patience.abort();
  }

  /** All of the log as it is stored, from whatever node answers. */
  async stored(told: Told): Promise<StreamExecutionResult[]> {
    const random = this.#parts.random.fork();
    const [executionId = ''] = told.executionIds;
    for (;;) {
      try {
        const node = await this.any(random);
        const log = await collect(node.functions.watchExecution({ executionId, fromSequence: 1n }));
        const { result } = await node.functions.getExecutionStatus({ executionId, includeOutput: true });
        if (result !== undefined) told.ends.push(result);
        return log;
      } catch (error) {
        await again(told, error);
        if (told.wrong.length > 0) return [];
      }
    }
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#closed = true;
  }

  async any(random: Random): Promise<ChildServer> {
    while (!this.#closed) {
      const { server } = random.pick(this.#parts.nodes);
      if (server !== undefined) return server;
      await pause(20);
    }
    throw new Error('the harness ends');
  }
}

/** One invocation, as its client sees it. */
class Call {
  readonly #told: Told;
  readonly #args: string[];
  readonly #random: Random;
  readonly #load: Load;
  #isOver = false;
  #wasSuspended = false;

  constructor(told: Told, args: string[], random: Random, load: Load) {
    this.#told = told;
    this.#args = args;
    this.#random = random;
    this.#load = load;
  }

  giveUp(): void {
    this.#isOver = true;
  }

  async run(): Promise<void> {
    const random = this.#random;
    const { mode } = this.#told;
    // Drawn here, whatever becomes of the call.
    const [asksTwice, cancels, suspends] = [random.chance(0.3), random.chance(0.1), random.chance(0.1)];
    const afterMs = random.whole(0, 2000);
    const others = random.fork();
    if (mode === 'stream') {
      const streamed = this.#stream();
      if (cancels) await this.#cancel(afterMs, others);
      await streamed;
    } else if (mode === 'sync') {
      await this.#invoke(ExecutionMode.SYNC);
    } else {
      await this.#invoke(ExecutionMode.ASYNC);
      const changed = cancels
        ? this.#cancel(afterMs, others)
        : suspends
          ? this.#suspend(afterMs, others)
          : undefined;
      // Some ask a second time, of another node.
      if (asksTwice) await this.#invoke(random.pick([ExecutionMode.ASYNC, ExecutionMode.SYNC]));
      await Promise.all([this.#watch(), changed]);
    }
    this.giveUp();
  }

  get #request() {
    const { kind, invocationId } = this.#told;
    return { task: kind.name, args: this.#args, invocationId };
  }

  async #invoke(executionMode: ExecutionMode): Promise<void> {
    const isSync = executionMode === ExecutionMode.SYNC;
    await this.#until(async (node) => {
      const answer = await node.functions.invokeFunction(
        { ...this.#request, executionMode },
        { signal: AbortSignal.timeout(isSync ? followMs : answerMs) },
      );
      this.#told.executionIds.add(answer.executionId);
      // A node that goes away says how far it has come: others are asked for the end.
      if (isSync && answer.result?.isCompleted !== true) return false;
      if (isSync && answer.result !== undefined) this.#told.ends.push(answer.result);
      return true;
    });
  }

  /** Who streams a call and is cut off streams it again, from its beginning. */
  async #stream(): Promise<void> {
    await this.#until(async (node) => {
      const request = { ...this.#request, executionMode: ExecutionMode.STREAM };
      const events = node.functions.streamFunction(request, { signal: AbortSignal.timeout(followMs) });
      const isOver = await this.#hear(events, 0);
      // A call that takes long is followed by its id then.
      if (!isOver) await this.#watch();
      return true;
    });
    if (!this.#hasEnd) await this.#watch();
  }

  /** From the event behind the last one that it has heard, on whatever node answers. */
  async #watch(): Promise<void> {
    const [executionId = ''] = this.#told.executionIds;
    await this.#until(async (node) => {
      if (this.#hasEnd) return true;
      if (this.#wasSuspended) await node.functions.resumeExecution({ executionId }).catch(() => {});
      const before = this.#told.heard.length;
      const events = node.functions.watchExecution(
        { executionId, fromSequence: BigInt(before + 1) },
        { signal: AbortSignal.timeout(followMs) },
      );
      return this.#hear(events, before);
    });
  }

  get #hasEnd(): boolean {
    return this.#told.heard.at(-1)?.isFinal === true;
  }

  /** @param before how many events the stream leaves out; true where it has come to the end */
  async #hear(events: AsyncIterable<StreamExecutionResult>, before: number): Promise<boolean> {
    const { heard, wrong, executionIds } = this.#told;
    let next = before;
    for await (const event of events) {
      executionIds.add(event.executionId);
      next += 1;
      if (event.sequence !== BigInt(next)) wrong.push(`heard event ${event.sequence} where ${next} was next`);
      // What comes a second time is held against the log as well.
      if (next > heard.length) heard.push(event);
    }
    return this.#hasEnd;
  }

  async #cancel(afterMs: number, random: Random): Promise<void> {
    await pause(afterMs);
    const told = this.#told;
    await this.#until(async (node) => {
      const [executionId] = told.executionIds;
      if (executionId === undefined) return false;
      told.wasToEnd = true;
      const options = { signal: AbortSignal.timeout(answerMs) };
      const { changed } = await node.functions.cancelExecution({ executionId }, options);
      told.isCancelled ||= changed;
      return true;
    }, random);
  }

  /** What cannot be held goes on. */
  async #suspend(afterMs: number, random: Random): Promise<void> {
    const [executionId = ''] = this.#told.executionIds;
    await pause(afterMs);
    const change = (what: 'suspendExecution' | 'resumeExecution') =>
      this.#until(
        async (node) => {
          const options = { signal: AbortSignal.timeout(answerMs) };
          await node.functions[what]({ executionId }, options);
          return true;
        },
        random,
        [failedPrecondition],
      );
    // One that was asked for, and not answered, may still come to be.
    this.#wasSuspended = true;
    await change('suspendExecution');
    await pause(afterMs / 2);
    await change('resumeExecution');
  }

  /** Asks one node after the other until it is done. */
  async #until(
    ask: (node: ChildServer) => Promise<boolean>,
    random = this.#random,
    enough: readonly unknown[] = [],
  ): Promise<void> {
    while (!this.#load.isClosed && !this.#isOver) {
      try {
        if (await ask(await this.#load.any(random))) return;
        await pause(50);
      } catch (error) {
        if (enough.includes(codeOf(error))) return;
        await again(this.#told, error);
      }
    }
  }
}

/** Whoever cannot be asked now is asked again; another refusal is wrong. */
async function again(told: Told, error: unknown): Promise<void> {
  const isCut = String(error).includes(cutOff);
  if (!isCut && !passing.includes(codeOf(error)))
    told.wrong.push(`was refused at ${new Date().toISOString()}: ${String(error)}`);
  await pause(50);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

const failedPrecondition = 9;
/** So the library of a client says that the node went away in the middle of an answer. */
const cutOff = 'Call ended without gRPC status';
/** CANCELLED and DEADLINE_EXCEEDED, as the harness gives up itself, ABORTED, UNAVAILABLE; or no answer at all. */
const passing: readonly unknown[] = [1, 4, 10, 14, 'ABORT_ERR', undefined];
