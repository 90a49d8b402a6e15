import type {
  RestartPolicy,
  RestartStrategy,
  SupervisedEnd,
  Supervision,
} from '../../src/domain/batch/supervision.ts';

export const strategies: readonly RestartStrategy[] = ['oneForOne', 'oneForAll', 'restForOne'];
export const policies: readonly RestartPolicy[] = ['permanent', 'transient', 'temporary'];

export function batch(
  strategy: RestartStrategy,
  members: readonly RestartPolicy[],
  rules: Partial<Pick<Supervision, 'intensity' | 'withinMs' | 'backoffMs' | 'maxBackoffMs'>> = {},
): Supervision {
  return {
    ...{ strategy, intensity: 1000, withinMs: 1000, backoffMs: 100, maxBackoffMs: 1000, ...rules },
    members: members.map((restart, member) => ({
      ...{ name: '', restart, timeouts: { totalMs: 1 } },
      ...{ executionId: `${member}.0`, state: 'up', restarts: 0 },
    })),
    ...{ phase: { kind: 'running' }, recent: [], counted: 0 },
  };
}

export const completed: SupervisedEnd = { status: 'completed', endedAt: 0 };
export const failed: SupervisedEnd = { status: 'failed', errorCode: 'FUNCTION_EXIT', endedAt: 0 };
export const cancelled: SupervisedEnd = { status: 'cancelled', errorCode: 'CANCELLED', endedAt: 0 };
