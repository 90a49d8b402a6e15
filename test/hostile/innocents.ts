/** Calls that have done nothing, at a steady pace, and what each is to bring. */
import { setTimeout as sleep } from 'node:timers/promises';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import {
  ErrorCode,
  ExecutionMode,
  type ExecutionResult,
  ExecutionStatus,
} from '../../src/server/gen/spearlet/function_pb.js';
import { InstancePolicy, RuntimeKind } from '../../src/server/gen/spearlet/task_pb.js';
import type { Request } from '../crash/kinds.ts';
import type { Random } from '../crash/random.ts';
import type { Peer } from '../support/server.ts';
import type { InnocentCall, Phase } from './history.ts';

interface Innocent {
  readonly name: string;
  readonly intervalMs: number;
  readonly register: (peer: Peer, secret: string) => Promise<unknown>;
  readonly draw: (random: Random) => { readonly request: Request; readonly output: Buffer };
}

const totalMs = 60_000;
/** Of one innocent. Where the machine cannot keep the pace, calls are left out: a line of them would be all that is measured. */
const maxUnderWay = 8;

function anyText(random: Random): Buffer {
  return Buffer.from(Array.from({ length: random.whole(1, 2000) }, () => random.whole(97, 122)));
}

export const innocents: readonly Innocent[] = [
  {
    name: 'reused',
    intervalMs: 40,
    register: (peer) =>
      peer.register('reused', 'typed/typed.wasm', { instancePolicy: InstancePolicy.REUSED }),
    draw: () => ({ request: { functionName: 'ping' }, output: Buffer.from('"pong"') }),
  },
  {
    name: 'fresh',
    intervalMs: 200,
    register: (peer) => peer.register('fresh', 'wordcount/wordcount.wasm'),
    draw(random) {
      const input = anyText(random);
      return { request: { input }, output: Buffer.from(`0 1 ${input.length}\n`) };
    },
  },
  {
    name: 'process',
    intervalMs: 200,
    register: (peer, secret) =>
      peer.tasks.registerTask({
        definition: {
          name: 'process',
          runtime: RuntimeKind.PROCESS,
          artifact: { source: { case: 'path', value: '/bin/cat' } },
          environment: { SECRET: secret },
        },
      }),
    draw(random) {
      const input = anyText(random);
      return { request: { input }, output: input };
    },
  },
];

/** Calls all innocents until it is told to stop. */
export class InnocentLoad {
  readonly calls: InnocentCall[] = [];
  /** Of the calls that begin from now on. */
  phase: Phase = 'between';
  readonly #functions: Peer['functions'];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>[];

  constructor(functions: Peer['functions'], random: Random) {
    this.#functions = functions;
    this.#running = innocents.map((innocent) => this.#pace(innocent, random.fork()));
  }

  /** Resolves when every call has its end. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  /** Calls each so often at once, for what a node keeps ready to be there. */
  async burst(times: number, random: Random): Promise<void> {
    const all = innocents.flatMap((innocent) =>
      Array.from({ length: times }, () => this.#call(innocent, random)),
    );
    await Promise.all(all);
  }

  /** Calls when it is time, whether the one before has ended or not. */
  async #pace(innocent: Innocent, random: Random): Promise<void> {
    const underWay = new Set<Promise<void>>();
    for (let next = performance.now(); !this.#stop.signal.aborted; next += innocent.intervalMs) {
      await sleep(Math.max(0, next - performance.now()));
      if (underWay.size >= maxUnderWay) continue;
      const call = this.#call(innocent, random).then(() => void underWay.delete(call));
      underWay.add(call);
    }
    await Promise.all(underWay);
  }

  async #call({ name, draw }: Innocent, random: Random): Promise<void> {
    const { phase } = this;
    const { request, output } = draw(random);
    const mode = random.chance(0.3) ? ExecutionMode.ASYNC : ExecutionMode.SYNC;
    const began = performance.now();
    const problem = await this.#result({ ...request, task: name, executionMode: mode }).then(
      (result) => whatIsWrong(result, output),
      (error: unknown) => String(error),
    );
    this.calls.push({ innocent: name, phase, ms: performance.now() - began, problem });
  }

  async #result(request: Request): Promise<ExecutionResult | undefined> {
    const timeouts = { total: durationFromMs(totalMs) };
    const answer = await this.#functions.invokeFunction({ ...request, timeouts });
    if (request.executionMode === ExecutionMode.SYNC) return answer.result;
    return (await this.#functions.waitExecution({ executionId: answer.executionId })).result;
  }
}

function whatIsWrong(result: ExecutionResult | undefined, output: Buffer): string {
  if (result === undefined) return 'no result';
  const { status, errorCode, errorMessage, executionId } = result;
  if (status !== ExecutionStatus.COMPLETED) {
    return `${executionId} ended ${ExecutionStatus[status]} ${ErrorCode[errorCode]}: ${errorMessage}`;
  }
  if (output.equals(result.output)) return '';
  return `${executionId} brought ${Buffer.from(result.output).toString().slice(0, 100)}, not ${output.toString().slice(0, 100)}`;
}
