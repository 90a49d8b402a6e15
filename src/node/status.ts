/** What a node says of itself. */
import type { Supervisor } from '../actors/executions/supervisor.ts';
import type { NodeConfig } from '../config.ts';
import type { Clock } from '../domain/clock.ts';
import { executionStatuses } from '../domain/execution.ts';
import type { Instances } from '../domain/instance.ts';
import { LruMap } from '../domain/lru-map.ts';
import type { NodeStatus, StatusCounts } from '../domain/node-feed.ts';
import { type Scope, scopeKey } from '../domain/scope.ts';
import type { Tasks } from '../domain/tasks.ts';
import type { Store, StoreCounts } from '../stores/store.ts';
import { packageVersion } from '../version.ts';

export interface StatusParts {
  readonly nodeId: string;
  readonly config: Pick<NodeConfig, 'slots' | 'queueLimit' | 'traceUrl'>;
  readonly clock: Clock;
  readonly store: Store;
  readonly supervisor: Supervisor;
  readonly instances: Instances;
  readonly tasks: Pick<Tasks, 'isSeen'>;
  /** Wall clock, milliseconds since the epoch. */
  readonly startedAt: number;
  /** The node chart's state. */
  readonly state: () => string;
  readonly storeFault: () => Error | undefined;
  /** Executions that an earlier run of the node left. */
  readonly recovered: (scope: Scope) => number;
  readonly position: () => number;
  readonly grpcAddress: () => string;
  readonly hostAccess: boolean;
}

const none = Object.fromEntries(executionStatuses.map((status) => [status, 0])) as StatusCounts;

/** Scopes whose counts are kept, for when the store cannot be read. */
const mostScopes = 1000;
/** What took longer to count, in milliseconds, is believed for this many times as long. */
const longMs = 5;
const believedShare = 50;

interface Counted {
  readonly counts: StoreCounts;
  /** On the monotonic clock. */
  readonly believedUntil: number;
}

/** Answers with the counts of before where the store cannot be read. */
export function nodeStatus(parts: StatusParts): (scope: Scope) => Promise<NodeStatus> {
  const { nodeId, config, clock, startedAt, store, supervisor, instances, tasks } = parts;
  const version = packageVersion();
  const counted = new LruMap<string, Counted>(mostScopes);

  const countsOf = async (scope: Scope): Promise<StoreCounts> => {
    const key = scopeKey(scope);
    const known = counted.get(key);
    const begun = clock.monotonic();
    if (known !== undefined && begun < known.believedUntil) return known.counts;
    try {
      const counts = await store.counts(scope);
      const took = clock.monotonic() - begun;
      const believedUntil = took > longMs ? begun + took * believedShare : begun;
      counted.set(key, { counts, believedUntil });
      return counts;
    } catch {
      return known?.counts ?? { executions: none, tasks: 0 };
    }
  };

  const isShown = async (scope: Scope, taskId: string | undefined): Promise<boolean> =>
    taskId === undefined ? scope.shared === true : tasks.isSeen(scope, taskId).catch(() => false);

  return async (scope) => {
    const counts = await countsOf(scope);
    const { live, running, pending, queued, resources } = supervisor.loadOf(scope);
    // What waits without being live is in the store alone; what was counted there may be a moment old.
    const { passiveLoad } = supervisor;
    const passive = Math.min(passiveLoad.pending, Math.max(0, counts.executions.pending - pending));
    const passiveQueued = Math.min(passiveLoad.queued, passive);
    const state = parts.state();
    let spoiled = 0;
    for (const pool of instances.pools()) if (await isShown(scope, pool.taskId)) spoiled += pool.spoiled;
    let shown = 0;
    for (const { task } of instances.instances()) if (await isShown(scope, task?.taskId)) shown += 1;
    return {
      nodeId,
      version,
      state,
      startedAt,
      slots: config.slots,
      running,
      pending: pending + passive,
      queueLimit: config.queueLimit,
      counts: counts.executions,
      supervisors: [
        {
          name: 'executions',
          state,
          children: live,
          queueLength: queued + passiveQueued,
          restarts: parts.recovered(scope),
        },
        {
          name: 'instances',
          state,
          children: shown,
          queueLength: 0,
          restarts: spoiled,
        },
        { name: 'tasks', state, children: counts.tasks, queueLength: 0, restarts: 0 },
      ],
      position: parts.position(),
      grpcAddress: parts.grpcAddress(),
      hostAccess: parts.hostAccess,
      traceUrl: config.traceUrl,
      ...(resources !== undefined && { resources }),
      storeFault: faultOf(parts.storeFault(), store),
      time: Math.round(clock.now()),
    };
  };
}

/** Words of ours: those of the system are for the node's log. */
function faultOf(fault: Error | undefined, { lowSpace }: Pick<Store, 'lowSpace'>): string {
  if (fault !== undefined) return 'the store cannot be written';
  return lowSpace ? 'the disk is full' : '';
}
