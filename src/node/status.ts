/** What a node says of itself. */
import type { Supervisor } from '../actors/executions/supervisor.ts';
import type { NodeConfig } from '../config.ts';
import type { Clock } from '../domain/clock.ts';
import { executionStatuses } from '../domain/execution.ts';
import type { Instances } from '../domain/instance.ts';
import type { NodeStatus, StatusCounts } from '../domain/node-feed.ts';
import type { Store, StoreCounts } from '../stores/store.ts';
import { packageVersion } from '../version.ts';

export interface StatusParts {
  readonly nodeId: string;
  readonly config: Pick<NodeConfig, 'slots' | 'queueLimit' | 'allowUiActions'>;
  readonly clock: Clock;
  readonly store: Store;
  readonly supervisor: Supervisor;
  readonly instances: Instances;
  /** Wall clock, milliseconds since the epoch. */
  readonly startedAt: number;
  /** The node chart's state. */
  readonly state: () => string;
  readonly storeFault: () => Error | undefined;
  /** Executions that an earlier run of the node left. */
  readonly revived: () => number;
  readonly position: () => number;
  readonly grpcAddress: () => string;
  readonly hostAccess: boolean;
}

const none = Object.fromEntries(executionStatuses.map((status) => [status, 0])) as StatusCounts;

/** Answers with the counts of before where the store cannot be read. */
export function nodeStatus(parts: StatusParts): () => Promise<NodeStatus> {
  const { nodeId, config, clock, startedAt, store, supervisor, instances } = parts;
  const version = packageVersion();
  let counts: StoreCounts = { executions: none, tasks: 0 };
  return async () => {
    counts = await store.counts().catch(() => counts);
    const { live, running, pending } = supervisor.load;
    const state = parts.state();
    const spoiled = instances.pools().reduce((sum, pool) => sum + pool.spoiled, 0);
    return {
      nodeId,
      version,
      state,
      startedAt,
      slots: config.slots,
      running,
      pending,
      queueLimit: config.queueLimit,
      counts: counts.executions,
      supervisors: [
        {
          name: 'executions',
          state,
          children: live,
          queueLength: supervisor.queueLength,
          restarts: parts.revived(),
        },
        {
          name: 'instances',
          state,
          children: instances.instances().length,
          queueLength: 0,
          restarts: spoiled,
        },
        { name: 'tasks', state, children: counts.tasks, queueLength: 0, restarts: 0 },
      ],
      position: parts.position(),
      actionsAllowed: config.allowUiActions,
      grpcAddress: parts.grpcAddress(),
      hostAccess: parts.hostAccess,
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
