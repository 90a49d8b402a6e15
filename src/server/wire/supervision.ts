import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import {
  mostSupervised,
  type RestartPolicy,
  type RestartStrategy,
  type Supervision,
  type SupervisionEnd,
  type SupervisionPhase,
  type SupervisionRules,
} from '../../domain/batch/supervision.ts';
import { invalidArgument } from '../../domain/errors.ts';
import {
  type BatchMember,
  type InvokeBatchRequest,
  type SupervisionState,
  SupervisionStateSchema,
  SupervisionEndReason as WireEnd,
  SupervisionPhase as WirePhase,
  RestartPolicy as WirePolicy,
  SupervisionStrategy as WireStrategy,
} from '../gen/spearlet/batch_pb.js';
import { int64 } from './bounded.ts';
import { delay, longestText, positiveDuration } from './fields.ts';

const usualIntensity = 3;
const mostIntensity = 1000;
const usualWithinMs = 60_000;
const usualBackoffMs = 200;
const usualMaxBackoffMs = 10_000;

const strategies: Record<RestartStrategy, WireStrategy> = {
  oneForOne: WireStrategy.ONE_FOR_ONE,
  oneForAll: WireStrategy.ONE_FOR_ALL,
  restForOne: WireStrategy.REST_FOR_ONE,
};

const policies: Record<RestartPolicy, WirePolicy> = {
  permanent: WirePolicy.PERMANENT,
  transient: WirePolicy.TRANSIENT,
  temporary: WirePolicy.TEMPORARY,
};

const phases: Record<SupervisionPhase['kind'], WirePhase> = {
  running: WirePhase.RUNNING,
  restarting: WirePhase.RESTARTING,
  ending: WirePhase.ENDING,
  ended: WirePhase.ENDED,
};

const ends: Record<SupervisionEnd['reason'], WireEnd> = {
  cancelled: WireEnd.CANCELLED,
  intensity: WireEnd.INTENSITY,
  lost: WireEnd.LOST,
};

/** Throws invalid_argument that names the field, also for what a supervised batch cannot have. */
export function supervisionFromWire(
  { supervision, onMemberFailure }: Pick<InvokeBatchRequest, 'supervision' | 'onMemberFailure'>,
  members: readonly BatchMember[],
): SupervisionRules | undefined {
  if (supervision === undefined) {
    const other = members.findIndex(({ restart }) => restart !== WirePolicy.UNSPECIFIED);
    if (other < 0) return undefined;
    throw invalidArgument(`members[${other}].restart`, 'is for batches with supervision; this one has none');
  }
  if (onMemberFailure !== 0) {
    throw invalidArgument(
      'on_member_failure',
      'does not go with supervision, which says what a failure does',
    );
  }
  if (members.length > mostSupervised) {
    throw invalidArgument(
      'members',
      `has ${members.length} entries; allowed with supervision are ${mostSupervised}`,
    );
  }
  const following = members.findIndex(({ invocation }) => (invocation?.dependsOn.length ?? 0) > 0);
  if (following >= 0) {
    throw invalidArgument(
      `members[${following}].invocation.depends_on`,
      'does not go with supervision: members run beside one another, in the order of the batch',
    );
  }
  const { strategy, intensity = usualIntensity, within, backoff, maxBackoff } = supervision;
  if (intensity > mostIntensity) {
    throw invalidArgument('supervision.intensity', `is ${intensity}; allowed are 0 to ${mostIntensity}`);
  }
  const backoffMs = delay('supervision.backoff', backoff) ?? usualBackoffMs;
  const maxBackoffMs = delay('supervision.max_backoff', maxBackoff) ?? Math.max(backoffMs, usualMaxBackoffMs);
  if (maxBackoffMs < backoffMs) {
    throw invalidArgument(
      'supervision.max_backoff',
      `is ${maxBackoffMs} ms; allowed are backoff, ${backoffMs} ms, to ${longestText}`,
    );
  }
  return {
    strategy: strategyFromWire(strategy),
    intensity,
    withinMs: positiveDuration('supervision.within', within) ?? usualWithinMs,
    ...{ backoffMs, maxBackoffMs },
  };
}

/** Undefined where nothing is said. */
export function restartFromWire(field: string, policy: WirePolicy): RestartPolicy | undefined {
  if (policy === WirePolicy.UNSPECIFIED) return undefined;
  return wordOf(policies, policy, field, 'PERMANENT (1), TRANSIENT (2) and TEMPORARY (3)');
}

export function restartToWire(policy: RestartPolicy | undefined): WirePolicy {
  return policy === undefined ? WirePolicy.UNSPECIFIED : policies[policy];
}

export function supervisionToWire(supervision: Supervision): SupervisionState {
  const { phase, strategy, intensity, withinMs, backoffMs, maxBackoffMs, recent, counted } = supervision;
  const end = phase.kind === 'ending' || phase.kind === 'ended' ? phase.end : undefined;
  return create(SupervisionStateSchema, {
    strategy: strategies[strategy],
    intensity,
    within: durationFromMs(withinMs),
    backoff: durationFromMs(backoffMs),
    maxBackoff: durationFromMs(maxBackoffMs),
    phase: phases[phase.kind],
    recentRestarts: recent.length,
    restarts: int64(counted),
    ...(end !== undefined && { endReason: ends[end.reason], endMessage: end.message }),
  });
}

function strategyFromWire(strategy: WireStrategy): RestartStrategy {
  if (strategy === WireStrategy.UNSPECIFIED) return 'oneForOne';
  const words = 'ONE_FOR_ONE (1), ONE_FOR_ALL (2) and REST_FOR_ONE (3)';
  return wordOf(strategies, strategy, 'supervision.strategy', words);
}

function wordOf<Word extends string>(
  table: Record<Word, number>,
  value: number,
  field: string,
  allowed: string,
): Word {
  const found = Object.entries<number>(table).find(([, each]) => each === value)?.[0];
  if (found === undefined) throw invalidArgument(field, `${value} is not known; allowed are ${allowed}`);
  return found as Word;
}
