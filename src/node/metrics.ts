/** What the node tells its metrics of itself. */
import type { Supervisor } from '../actors/executions/supervisor.ts';
import type { NodeConfig } from '../config.ts';
import type { Instances } from '../domain/instance.ts';
import { methodRoles } from '../domain/method-roles.ts';
import type { DeliveryCounts } from '../domain/webhook.ts';
import type { Store } from '../stores/store.ts';
import type { ClusterSource, NodeNames } from '../telemetry/metrics/cluster-metrics.ts';
import { Metrics } from '../telemetry/metrics/metrics.ts';
import { packageVersion } from '../version.ts';
import { storeSizes } from './measured-store.ts';
import type { Runtimes } from './runtimes.ts';

export interface MeasuredParts {
  readonly store: Pick<Store, 'lowSpace'>;
  readonly supervisor: Supervisor;
  readonly webhooks: { readonly counts: DeliveryCounts };
  readonly instances: Instances;
  readonly runtimes: Runtimes;
  /** The node chart's state. */
  readonly state: () => string;
  readonly names: NodeNames;
  readonly isCordoned: () => boolean;
  readonly cluster: ClusterSource | undefined;
  readonly storeFault: () => Error | undefined;
}

export function openMetrics(
  { dataDir, slots }: Pick<NodeConfig, 'dataDir' | 'slots'>,
  parts: MeasuredParts,
): Metrics {
  const { names, cluster, store, supervisor, webhooks, instances, runtimes, state, storeFault, isCordoned } =
    parts;
  return new Metrics({
    names,
    cluster,
    node: {
      ...{ version: packageVersion(), slots, instances, state, isCordoned },
      runtimes: [...runtimes.keys()],
      load() {
        const { running, pending, live } = supervisor.load;
        return { running, live, pending };
      },
      queue: () => supervisor.queueHere(),
    },
    store: {
      sizes: () => storeSizes(dataDir),
      isHealthy: () => storeFault() === undefined,
      isLowOnSpace: () => store.lowSpace,
    },
    cache: () => supervisor.cache.total,
    webhooks: () => webhooks.counts,
    runtimeOf: (executionId) => supervisor.runtimeOf(executionId),
    methods: Object.keys(methodRoles),
  });
}
