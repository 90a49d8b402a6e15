import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Activity, ActivityView } from '../../domain/activity.ts';
import { type GetActivityResponse, GetActivityResponseSchema } from '../gen/spearlet/node_pb.js';

export function activityToWire(view: ActivityView, withNode: boolean): GetActivityResponse {
  const { stepSeconds, firstStep, nextStep, until, total, node, tasks } = view;
  return create(GetActivityResponseSchema, {
    stepSeconds,
    firstStep: BigInt(firstStep),
    nextStep: BigInt(nextStep),
    until: timestampFromMs(until),
    total: written(total),
    ...(withNode && {
      node: {
        processors: node.processors.map((share) => Math.round(share * 1000) / 1000),
        memoryBytes: [...node.memoryBytes],
      },
    }),
    tasks: tasks.map(({ activity, ...of }) => ({ ...of, activity: written(activity) })),
  });
}

function written({ running, waiting, completed, failed, timedOut, cancelled, p50Ms, p99Ms }: Activity) {
  return {
    running: [...running],
    waiting: [...waiting],
    completed: [...completed],
    failed: [...failed],
    timedOut: [...timedOut],
    cancelled: [...cancelled],
    p50Ms: [...p50Ms],
    p99Ms: [...p99Ms],
  };
}
