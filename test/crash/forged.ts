/** A history as it should be, to be spoiled: two executions over a crash, one of them lost and run again. */
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  type ExecutionResult,
  ExecutionResultSchema,
  ExecutionStatus,
  OutputStream,
  type StreamExecutionResult,
  StreamExecutionResultSchema,
} from '../../src/server/gen/spearlet/function_pb.js';
import { type ForgedHooks, forgedHooks, forgedTells } from './forged-hooks.ts';
import type { Final, History, Mark, Plan, Terms, Told } from './history.ts';
import { planLabel } from './history.ts';
import { plain } from './kinds.ts';

/** When the first execution was admitted. */
const noon = 1_750_000_000_000;
const totalMs = 5000;
const { RUNNING, PENDING, COMPLETED } = ExecutionStatus;

/** A history that a test may change in any place. */
export interface Forged extends Omit<History, keyof ForgedHooks>, ForgedHooks {
  readonly plans: Map<number, Plan>;
  readonly told: Told[];
  readonly cancelled: Set<string>;
  readonly runs: { -readonly [Key in keyof History['runs'][number]]: History['runs'][number][Key] }[];
  readonly finals: Map<string, ForgedFinal>;
  readonly marks: Map<number, Mark[]>;
  readonly remains: { when: string; what: string[] }[];
}

export interface ForgedFinal extends Final {
  readonly result: ExecutionResult;
  lastSequence: number;
  readonly log: StreamExecutionResult[];
}

type Step =
  | readonly [attempt: number, from: string, to: string, eventType: string, reasonCode?: string]
  | readonly [attempt: number, stdout: string];

let positions = 0n;

function forgedLog(result: ExecutionResult, steps: readonly Step[]): StreamExecutionResult[] {
  const made = (attempt: number, status: ExecutionStatus, index: number) => {
    positions += 1n;
    return create(StreamExecutionResultSchema, {
      executionId: result.executionId,
      sequence: BigInt(index + 1),
      position: positions,
      time: timestampFromMs(noon + 10 * (index + 1)),
      status,
      attempt,
    });
  };
  const log = steps.map((step, index) => {
    const [attempt] = step;
    const event = made(attempt, attempt === 0 ? PENDING : RUNNING, index);
    if (step.length === 2) {
      event.event = {
        case: 'chunk',
        value: {
          $typeName: 'spearlet.Chunk',
          stream: OutputStream.STDOUT,
          data: Buffer.from(step[1]),
        },
      };
      return event;
    }
    const [, from, to, eventType, reasonCode = ''] = step;
    const contextPatch = index === 0 ? JSON.stringify({ totalDeadline: noon + totalMs }) : '';
    event.event = {
      case: 'transition',
      value: {
        $typeName: 'spearlet.Transition',
        from,
        to,
        eventType,
        reasonCode,
        contextPatch,
        chartVersion: 2,
      },
    };
    return event;
  });
  const end = made(result.attempt, result.status, steps.length);
  end.isFinal = true;
  end.event = { case: 'result', value: structuredClone(result) };
  return [...log, end];
}

function forgedFinal(
  executionId: string,
  plan: number,
  steps: readonly Step[],
  more: Partial<ExecutionResult>,
): ForgedFinal {
  const result = create(ExecutionResultSchema, {
    executionId,
    status: COMPLETED,
    state: 'completed',
    isCompleted: true,
    exitCode: 0,
    attempt: 1,
    createdAt: timestampFromMs(noon),
    startedAt: timestampFromMs(noon + 20),
    completedAt: timestampFromMs(noon + 1000),
    timestamp: timestampFromMs(noon + 2000),
    metadata: { [planLabel]: String(plan) },
  });
  Object.assign(result, more);
  const log = forgedLog(result, steps);
  return { result, lastSequence: log.length, log };
}

export const calm = 'exec_calm';
export const lost = 'exec_lost';

export function forged(): Forged {
  positions = 0n;
  const terms: Terms = { ...plain, totalMs, task: 'cat', runtime: 'wasm', stdout: Buffer.from('hello') };
  const marked: Terms = { ...terms, task: 'process-rerun', runtime: 'process', marks: true };
  const one = forgedFinal(
    calm,
    1,
    [
      [0, '', 'pending.queued', 'admit'],
      [1, 'pending.queued', 'running.attempting', 'dispatch'],
      [1, 'hello'],
    ],
    { output: Buffer.from('hello') },
  );
  const two = forgedFinal(
    lost,
    2,
    [
      [0, '', 'pending.queued', 'admit'],
      [1, 'pending.queued', 'running.attempting', 'dispatch'],
      [1, 'hel'],
      [1, 'running.attempting', 'running.backingOff', 'lost'],
      [2, 'running.backingOff', 'running.attempting', 'dispatch'],
      [2, 'hello'],
    ],
    { output: Buffer.from('hello'), attempt: 2, recoveries: 1 },
  );
  const heard = (executionId: string, log: readonly StreamExecutionResult[]): Told[] =>
    log.map((event) => ({ kind: 'event', executionId, event: structuredClone(event) }));
  return {
    plans: new Map([
      [1, { number: 1, invocationId: '', terms }],
      [2, { number: 2, invocationId: 'request-2', terms: { ...marked, tells: forgedTells } }],
    ]),
    told: [
      { kind: 'admitted', plan: 1, executionId: calm },
      ...heard(calm, one.log),
      { kind: 'admitted', plan: 2, executionId: lost, joined: false },
      { kind: 'admitted', plan: 2, executionId: lost, joined: true },
      ...heard(lost, two.log.slice(0, 3)),
      {
        kind: 'view',
        executionId: lost,
        result: create(ExecutionResultSchema, {
          executionId: lost,
          status: RUNNING,
          state: 'running.attempting',
        }),
        lastSequence: 3,
        withOutput: true,
      },
      {
        kind: 'view',
        executionId: lost,
        result: structuredClone(two.result),
        lastSequence: 7,
        withOutput: true,
      },
      { kind: 'refused', call: 'invoke', plan: 2, code: 'UNAVAILABLE', reason: 'DRAINING', message: '' },
    ],
    cancelled: new Set(),
    runs: [
      { phase: 'load', readyAt: noon - 500, endedAt: noon + 35, exit: 'SIGKILL', bugs: [], killed: true },
      { phase: 'last', readyAt: noon + 500, endedAt: noon + 9000, exit: '0', bugs: [], killed: false },
    ],
    finals: new Map([
      [calm, one],
      [lost, two],
    ]),
    marks: new Map([
      [1, []],
      [
        2,
        [
          { attempt: 'a', what: 'start' },
          { attempt: 'a', what: 'step' },
          { attempt: 'b', what: 'start' },
          { attempt: 'b', what: 'end' },
        ],
      ],
    ]),
    remains: [{ when: 'when the server was gone', what: [] }],
    ...forgedHooks(lost),
  };
}
