import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { Rehearsal } from '../../domain/executions.ts';
import type { Task } from '../../domain/task.ts';
import {
  DryRunVerdict,
  type InvokeFunctionResponse,
  InvokeFunctionResponseSchema,
} from '../gen/spearlet/function_pb.js';
import { gateToWire } from './node-view.ts';

const verdicts = {
  start: DryRunVerdict.START,
  wait: DryRunVerdict.WAIT,
  join: DryRunVerdict.JOIN,
  cached: DryRunVerdict.CACHED,
} as const;

/** The answer to a request with `dry_run`. */
export function rehearsalToWire({ taskId }: Task, rehearsal: Rehearsal): InvokeFunctionResponse {
  const { verdict, summary, details, queuePlace, queueLength, heldBy, gate } = rehearsal;
  return create(InvokeFunctionResponseSchema, {
    success: true,
    message: summary,
    taskId,
    dryRun: {
      verdict: verdicts[verdict],
      summary,
      details: [...details],
      queuePlace: BigInt(queuePlace),
      queueLength: BigInt(queueLength),
      heldBy: [...heldBy],
      ...(gate !== undefined && { gate: gateToWire(gate) }),
      startsIn: durationFromMs(Math.round(rehearsal.startsInMs)),
      endsIn: durationFromMs(Math.round(rehearsal.endsInMs)),
      joinsExecutionId: rehearsal.joins ?? '',
      cachedFromExecutionId: rehearsal.cachedFrom ?? '',
    },
  });
}
