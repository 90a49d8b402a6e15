/** Clients of a cluster: they ask again, of any node, with their invocation ids, and watch from node to node. */
import { setTimeout as pause } from 'node:timers/promises';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { ExecutionMode, type StreamExecutionResult } from '../../src/server/gen/spearlet/function_pb.js';
import { InterruptPolicy, RuntimeKind } from '../../src/server/gen/spearlet/task_pb.js';
import type { Random } from '../crash/random.ts';
import { collect } from '../server/collect.ts';
import type { ChildServer } from '../support/server.ts';
import type { ClusterNode } from './cluster-nodes.ts';
import type { Witness } from './witness.ts';

/** What a client was told of one invocation. */
export interface Told {
  readonly task: string;
  readonly invocationId: string;
  /** Of all answers. */
  readonly executionIds: Set<string>;
  /** Of what it heard, each once and in order. */
  readonly heard: StreamExecutionResult[];
  /** What its program wrote of itself; empty for none. */
  readonly beats: string;
  wrong: string[];
}

const longest = durationFromMs(300_000);

export async function registerTasks(node: ChildServer, { program }: Witness): Promise<void> {
  const artifact = { source: { case: 'path' as const, value: program } };
  const timeouts = { total: longest, attempt: longest };
  for (const [name, onInterrupt] of [
    ['beat', InterruptPolicy.RERUN],
    ['beat-once', InterruptPolicy.FAIL],
  ] as const) {
    await node.tasks.registerTask({
      definition: {
        ...{ name, runtime: RuntimeKind.PROCESS, artifact, onInterrupt, timeouts },
        maxRecoveries: 20,
      },
    });
  }
  await node.register('ticker', 'ticker/ticker.wasm', { timeouts, maxRecoveries: 20 });
}

export class Load {
  readonly told: Told[] = [];
  readonly #nodes: readonly ClusterNode[];
  readonly #witness: Witness;
  readonly #random: Random;
  #count = 0;
  #closed = false;

  constructor(nodes: readonly ClusterNode[], witness: Witness, random: Random) {
    this.#nodes = nodes;
    this.#witness = witness;
    this.#random = random;
  }

  /** Resolves when what it asked for has ended, as it has heard. */
  async one(): Promise<void> {
    const random = this.#random.fork();
    const task = random.weighted([
      [3, 'beat'],
      [1, 'beat-once'],
      [2, 'ticker'],
    ] as const);
    const steps = random.whole(1, 40);
    const beats = task === 'ticker' ? '' : this.#witness.file();
    const args = task === 'ticker' ? [String(steps), '50'] : [beats, String(steps), '0.05'];
    this.#count += 1;
    const told: Told = {
      ...{ task, invocationId: `invocation-${this.#count}`, beats },
      ...{ executionIds: new Set<string>(), heard: [], wrong: [] },
    };
    this.told.push(told);
    await this.#invoke(told, args, random);
    // Some ask a second time, of another node.
    if (random.chance(0.3)) await this.#invoke(told, args, random);
    await this.#watch(told, random);
  }

  /** All of the log as it is stored, from whatever node answers. */
  async stored(told: Told): Promise<StreamExecutionResult[]> {
    const random = this.#random.fork();
    const [executionId = ''] = told.executionIds;
    for (;;) {
      try {
        const node = await this.#any(random);
        return await collect(node.functions.watchExecution({ executionId, fromSequence: 1n }));
      } catch (error) {
        await this.#again(told, error);
        if (told.wrong.length > 0) return [];
      }
    }
  }

  close(): void {
    this.#closed = true;
  }

  async #invoke(told: Told, args: string[], random: Random): Promise<void> {
    const { task, invocationId } = told;
    while (!this.#closed) {
      try {
        const node = await this.#any(random);
        const request = { task, args, invocationId, executionMode: ExecutionMode.ASYNC };
        const { executionId } = await node.functions.invokeFunction(request, {
          signal: AbortSignal.timeout(5000),
        });
        told.executionIds.add(executionId);
        return;
      } catch (error) {
        await this.#again(told, error);
      }
    }
  }

  /** From the event behind the last one that it has heard, on whatever node answers. */
  async #watch(told: Told, random: Random): Promise<void> {
    const [executionId = ''] = told.executionIds;
    while (!this.#closed && told.heard.at(-1)?.isFinal !== true) {
      try {
        const node = await this.#any(random);
        const fromSequence = BigInt(told.heard.length + 1);
        const events = node.functions.watchExecution(
          { executionId, fromSequence },
          { signal: AbortSignal.timeout(15_000) },
        );
        for await (const event of events) {
          const next = BigInt(told.heard.length + 1);
          if (event.sequence !== next)
            told.wrong.push(`heard event ${event.sequence} where ${next} was next`);
          told.heard.push(event);
        }
      } catch (error) {
        await this.#again(told, error);
      }
    }
  }

  async #any(random: Random): Promise<ChildServer> {
    while (!this.#closed) {
      const { server } = random.pick(this.#nodes);
      if (server !== undefined) return server;
      await pause(20);
    }
    throw new Error('the harness ends');
  }

  /** Whoever cannot be asked now is asked again; another refusal is wrong. */
  async #again(told: Told, error: unknown): Promise<void> {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (!passing.includes(code)) told.wrong.push(`was refused: ${String(error)}`);
    await pause(50);
  }
}

/** CANCELLED and DEADLINE_EXCEEDED, as the harness gives up itself, ABORTED, UNAVAILABLE; or no answer at all. */
const passing: readonly unknown[] = [1, 4, 10, 14, 'ABORT_ERR', undefined];
