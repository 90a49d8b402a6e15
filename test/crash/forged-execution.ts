/** Makes an execution that has ended, with its log. */
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
import type { Final } from './history.ts';
import { planLabel } from './history.ts';

/** When the first execution was admitted. */
export const noon = 1_750_000_000_000;
export const totalMs = 5000;
const { RUNNING, PENDING, COMPLETED } = ExecutionStatus;

export interface ForgedFinal extends Final {
  readonly result: ExecutionResult;
  lastSequence: number;
  readonly log: StreamExecutionResult[];
}

export type Step =
  | readonly [attempt: number, from: string, to: string, eventType: string, reasonCode?: string]
  | readonly [attempt: number, stdout: string];

let positions = 0n;

/** The next log begins at the first position. */
export function fromFirstPosition(): void {
  positions = 0n;
}

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

export function forgedFinal(
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
