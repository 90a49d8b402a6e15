/** Composes all of a node that nobody outside can reach: its store, its runtimes and the actors over them. */
import type { ActorRefFrom } from 'xstate';
import type { BreakpointTable } from '../actors/executions/breakpoints.ts';
import { leftInstances } from '../actors/executions/recovery/node-recovery.ts';
import { SharedBreakpoints, type SharedBreakpointsHost } from '../actors/executions/shared-breakpoints.ts';
import { Supervisor } from '../actors/executions/supervisor.ts';
import { createIds } from '../actors/ids.ts';
import { InstanceRegistry } from '../actors/instances/instance-registry.ts';
import type { ScheduleBook } from '../actors/schedules/schedule-book.ts';
import { TaskCatalog } from '../actors/tasks/task-catalog.ts';
import type { NodeTime } from '../actors/time/node-time.ts';
import { systemClock } from '../actors/time/system-clock.ts';
import type { Deliverer } from '../actors/webhooks/deliverer.ts';
import { configuredPorts, type NodeConfig } from '../config.ts';
import type { Activities } from '../domain/activity.ts';
import type { Breakpoints } from '../domain/breakpoint.ts';
import type { Clock } from '../domain/clock.ts';
import type { MachineDescription } from '../domain/machine.ts';
import type { Snapshots } from '../domain/snapshot/port.ts';
import type { TaskDefinition } from '../domain/task.ts';
import { bounded, type TaskCaps } from '../domain/task-bounds.ts';
import type { Tokens } from '../domain/tokens.ts';
import type { TraceSampling } from '../domain/trace.ts';
import { assertMayTell } from '../domain/webhook.ts';
import { describeMachines } from '../machines/describe.ts';
import type { nodeMachine } from '../machines/node.ts';
import { ActivityLog } from '../observers/node/activity/activity.ts';
import { Feed } from '../observers/node/feed.ts';
import { Inspection } from '../observers/node/inspection.ts';
import type { Membership } from '../stores/membership.ts';
import { observedStore } from '../stores/observed.ts';
import { withOutbox } from '../stores/outbox.ts';
import { takeStopMark } from '../stores/stop-mark.ts';
import type { Store } from '../stores/store.ts';
import { openTokens } from '../stores/token-file.ts';
import { executionLogger } from '../telemetry/execution-logger.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics/metrics.ts';
import { withBoundedTasks } from './bounded-tasks.ts';
import { clusterView, dutyOf } from './cluster.ts';
import { clusterSource, mostCounted } from './cluster-metrics.ts';
import { ClusterNodes } from './cluster-nodes.ts';
import { Cordon } from './cordon.ts';
import { openDurations } from './durations.ts';
import { watchLinks } from './link-watch.ts';
import { type LinkEnd, openWays } from './links.ts';
import { measuredStore } from './measured-store.ts';
import { openMetrics } from './metrics.ts';
import { followOthers } from './others.ts';
import { logQuarantine } from './quarantine-log.ts';
import { RecoveredTasks } from './recovered-tasks.ts';
import { closeRuntimes, keepWarm, openRuntimes, openSecrets, type Runtimes } from './runtimes.ts';
import { openSchedules } from './schedules.ts';
import { openSnapshots } from './snapshots.ts';
import { nodeStatus } from './status.ts';
import { openStore } from './store.ts';
import { openTime } from './time.ts';
import { openTraces } from './traces.ts';
import { openWarden } from './warden.ts';
import { openDeliverer, webhookRule } from './webhooks.ts';

export type Lifecycle = ActorRefFrom<typeof nodeMachine>;

/** A store that goes on failing is told of so often, in milliseconds. */
const sayAgainMs = 10_000;

export interface Core {
  readonly clock: Clock;
  readonly time: NodeTime;
  readonly lifecycle: Lifecycle;
  readonly store: Store;
  readonly membership: Membership;
  readonly cluster: ClusterNodes;
  /** Resolves when the node is to give everything to others and to begin anew. */
  readonly drained: Promise<void>;
  readonly runtimes: Runtimes;
  readonly instances: InstanceRegistry;
  readonly supervisor: Supervisor;
  readonly tasks: TaskCatalog;
  readonly snapshots: Snapshots;
  readonly webhooks: Deliverer;
  readonly schedules: ScheduleBook;
  readonly tokens: Tokens;
  readonly breakpoints: Breakpoints;
  readonly machines: readonly MachineDescription[];
  readonly feed: Feed;
  readonly activities: Activities;
  readonly inspection: Inspection;
  readonly metrics: Metrics;
  readonly traces: TraceSampling;
  /** Ports of the node itself; those that are chosen when they are bound are added then. */
  readonly ownPorts: Set<number>;
  /** It takes nothing new from callers. */
  isCordoned(): boolean;
  /** Why nothing can be written now; undefined where it can. */
  storeFault(): Error | undefined;
  /** Resolves with the reason when other nodes have taken over what this one had: it has to end. */
  readonly lost: Promise<Error>;
  /** Where it listens, once it does: the ports may have been left to the system. */
  listening(addresses: { readonly grpcAddress: string; readonly httpAddress: string }): void;
  /** Takes up what an earlier run of the node left. */
  recover(): Promise<void>;
  /** Ends all that runs, but for what the next run of the node may follow. */
  endRuntimes(): Promise<void>;
}

/** What is opened is closed by `opened`. Rejects with an error for people where the data folder cannot be used. */
export async function openCore(
  config: NodeConfig,
  logger: Logger,
  {
    store: given,
    lifecycle,
    link,
  }: { readonly store?: Store; readonly lifecycle: Lifecycle; readonly link?: LinkEnd | undefined },
  opened: AsyncDisposableStack,
): Promise<Core> {
  const clock = systemClock;
  const lost = Promise.withResolvers<Error>();
  const {
    kept,
    artifacts,
    shared: changes,
    queue,
    turns,
    nodeId,
    membership,
  } = await openStore(
    config,
    logger,
    { given, address: link?.address ?? '', lost: (error) => lost.resolve(error) },
    opened,
  );
  if (link !== undefined) opened.defer(membership.onChange(() => link.keep(membership.peers())));
  const cutoffs = openWarden(config, { nodeId, clock, membership, lost: lost.promise }, logger, opened);
  const caps = taskCaps(config);
  const measured = measuredStore(withOutbox(kept), clock, () => metrics.store);
  const observed = observedStore(measured, (error) =>
    logger.error({ err: error }, 'bug: what watches the node failed'),
  );
  const store = withBoundedTasks(observed.store, (task) => {
    const { definition } = task;
    const ofRuntime = runtimes.get(definition.runtime)?.defaultLimits ?? {};
    return { ...task, definition: bounded(definition, ofRuntime, caps) };
  });
  const time = await openTime(config, logger, { clock, store }, opened);
  const tokens = await openTokens(config.dataDir, clock);
  opened.defer(() => tokens.close());
  const ids = createIds(time);
  const links = config.engine && openWays(link, membership);
  if (link !== undefined && links !== undefined) {
    const watched = watchLinks({ links, membership, clock, logger });
    opened.defer(() => watched.close());
  }
  const cordon = await Cordon.open(kept, nodeId);
  const drained = Promise.withResolvers<void>();
  const hostAccess = config.allowHostAccess || process.getuid?.() !== 0;
  const instances = new InstanceRegistry(clock, (runtime, ms) => metrics.node.started(runtime, ms));
  const ownPorts = new Set(configuredPorts(config));
  const shared = { nodeId, store, artifacts, clock, ids, hostAccess, caps };
  const runtimes: Runtimes = await openRuntimes(config, {
    ...shared,
    registry: instances,
    ownPorts,
    logger,
    spare: await leftInstances(store),
  });
  let closing: Promise<void> | undefined;
  const endRuntimes = (): Promise<void> => (closing ??= closeRuntimes(runtimes));
  opened.defer(endRuntimes);

  let storeFault: Error | undefined;
  let saidAt = 0;
  const recovered = new RecoveredTasks();
  let takenOver = 0;
  let { grpcAddress } = config;
  let listensAt = { grpcAddress: '', httpAddress: '' };
  const supervisor = new Supervisor({
    clock,
    time,
    durations: await openDurations(config.dataDir, clock, logger, opened),
    ids,
    random: Math.random,
    store,
    runtimes,
    slots: config.slots,
    place: { labels: config.labels, runtimes: [...runtimes.keys()] },
    queueLimit: config.queueLimit,
    priorityWeights: config.priorityWeights,
    waiting: { live: config.queueInMemory },
    membership,
    reattachWithinMs: config.reattachWithin,
    cutoffs,
    links,
    isCordoned: () => cordon.isCordoned,
    ...(queue !== undefined && {
      cluster: clusterView({
        ...{ membership, queue, labels: config.labels, runtimes: [...runtimes.keys()] },
        secrets: openSecrets(config),
        changes,
        isCordoned: () => cordon.isCordoned,
      }),
    }),
    cache: { bytes: config.cacheBytes, bytesPerTenant: config.cacheBytesPerTenant },
    ...(isCounted(config) && {
      resources: { memoryBytes: config.guestMemory, processors: config.guestProcessors },
    }),
    ...(config.queueTargetMs > 0 && {
      overload: { targetMs: config.queueTargetMs, intervalMs: config.queueIntervalMs },
    }),
    listener: {
      storeHealth(error) {
        const wasHeard = storeFault !== undefined;
        storeFault = error;
        if (error === undefined) logger.info('the store works again');
        // It is tried again every second, for as long as it takes, in one way and another.
        else if (!wasHeard || clock.monotonic() - saidAt >= sayAgainMs) {
          saidAt = clock.monotonic();
          logger.error({ err: error }, 'the store cannot be written; new work is refused');
        }
      },
      quarantine: (task, quarantine) => logQuarantine(logger, task, quarantine),
      fenced: (error) => lost.resolve(error),
      revived: (record) => recovered.add(record),
      tookOver(executions) {
        takenOver += executions;
        logger.info({ executions }, 'took over executions of nodes that are gone');
      },
      bug: (error, executionId) =>
        logger.error({ err: error, executionId }, 'bug: an attempt failed in Spear itself'),
    },
  });
  const checkOpen = (tenant?: string) => supervisor.checkOpen(tenant);
  const rule = webhookRule(config);
  const checkWebhooks = (field: string, webhooks: TaskDefinition['onEnd']) =>
    assertMayTell(field, webhooks, rule);
  const listener = keepWarm(runtimes, (task) => supervisor.limitsChanged(task));
  const tasks = new TaskCatalog({ ...shared, runtimes, listener, checkOpen, checkWebhooks });
  const shares = { store, clock, changes, isShared: queue !== undefined };
  const breakpoints = openBreakpoints(supervisor.breakpoints, shares);
  changes.onChange(async (change) => {
    const { kind, key } = change ?? {};
    if (kind === undefined || kind === 'task') await tasks.changed(key);
    if (kind === undefined || kind === 'quota') await supervisor.quotas.reload(key);
    if (kind === undefined || kind === 'breakpoint') await breakpoints.reload(key);
    if (kind === undefined || kind === 'quarantine') await supervisor.quarantines.reload(key);
  });
  const snapshots = await openSnapshots(config, {
    ...shared,
    time,
    runtimes,
    tasks,
    transfers: supervisor,
    reserves: (task) => supervisor.reserves(task),
    checkOpen,
  });
  const startedAt = Math.round(clock.now());
  const state = (): string => lifecycle.getSnapshot().value;
  const feed: Feed = new Feed({
    clock,
    store,
    position: await store.lastPosition(),
    isShared: () => membership.peers().length > 1,
    status: nodeStatus({
      ...shared,
      config,
      startedAt,
      supervisor,
      instances,
      state,
      storeFault: () => storeFault,
      recovered: (scope) => recovered.in(scope),
      tasks,
      position: () => feed.position,
      grpcAddress: () => grpcAddress,
    }),
  });
  const webhooks = openDeliverer(
    config,
    { clock, store, nodeId, executions: supervisor, logger, duty: dutyOf(membership, 'webhooks') },
    opened,
  );
  observed.observe(webhooks);
  const measuredCluster =
    queue &&
    clusterSource({
      ...{ clock, membership, queue, links: link && links },
      nodes: () => cluster,
      takenOver: () => takenOver,
    });
  const metrics = openMetrics(config, {
    ...{ store, supervisor, webhooks, instances, runtimes, state, cluster: measuredCluster },
    names: { node: membership.name, nodeId },
    isCordoned: () => cordon.isCordoned,
    storeFault: () => storeFault,
  });
  const forgetResults = (executionIds: readonly string[]): void => {
    for (const executionId of executionIds) supervisor.cache.forget(executionId);
  };
  observed.observe(metrics.executions);
  observed.observe({
    deleted: (gone) => forgetResults(gone.map(({ executionId }) => executionId)),
    shortened: forgetResults,
  });
  observed.observe(feed);
  const others = followOthers({ membership, store, clock, feed });
  opened.defer(() => others.close());
  const activities = new ActivityLog({ clock, load: () => supervisor.loads(), usage });
  opened.defer(() => activities.close());
  observed.observe(activities);
  observed.observe(executionLogger(logger));
  const traces = await openTraces(config, { ...shared, metrics: metrics.traces }, logger, opened);
  if (traces.observer !== undefined) observed.observe(traces.observer);
  const schedules = openSchedules(
    config,
    {
      ...shared,
      supervisor,
      tasks,
      traces: traces.sampling,
      listener: metrics.schedules,
      duty: dutyOf(membership, 'schedules'),
      turns,
    },
    logger,
  );
  metrics.schedules.countSchedules(() => schedules.size);
  const machines = describeMachines();
  const cluster = new ClusterNodes({
    ...{ membership, links, cordon, startedAt, logger, state },
    load: () => ({ running: supervisor.load.running, pending: supervisor.load.pending }),
    unowned: async () => queue?.count(mostCounted),
    storeFault: () => (storeFault === undefined ? '' : 'the store cannot be written'),
    addresses: () => listensAt,
    drain: () => drained.resolve(),
  });
  opened.defer(cluster.keep());
  return {
    clock,
    time,
    lifecycle,
    store,
    breakpoints,
    membership,
    cluster,
    drained: drained.promise,
    runtimes,
    instances,
    supervisor,
    tasks,
    snapshots,
    webhooks,
    schedules,
    tokens,
    machines,
    ownPorts,
    feed,
    activities,
    inspection: new Inspection({
      nodeId,
      startedAt,
      machines,
      nodeState: state,
      store,
      observe: observed.observe,
      failed: (error) => logger.error({ err: error }, 'an inspector could not be told of what is under way'),
    }),
    metrics,
    traces: traces.sampling,
    isCordoned: () => cordon.isCordoned,
    storeFault: () => storeFault,
    lost: lost.promise,
    endRuntimes,
    listening(addresses) {
      listensAt = addresses;
      ({ grpcAddress } = addresses);
    },
    async recover() {
      await breakpoints.reload();
      const report = await supervisor.recover(await takeStopMark(config.dataDir));
      if (report.revived + report.incompatible + (report.waiting ?? 0) > 0) {
        logger.info({ ...report }, 'took up the executions of an earlier run');
      }
      webhooks.open();
    },
  };
}

/** Those of this node, or of its cluster, whose other nodes may change them. */
function openBreakpoints(
  table: BreakpointTable,
  { isShared, ...host }: Omit<SharedBreakpointsHost, 'table'> & { readonly isShared: boolean },
): Breakpoints & { reload(breakpointId?: string): Promise<void> } {
  if (isShared) return new SharedBreakpoints({ table, ...host });
  return {
    set: (wanted) => table.set(wanted),
    list: () => table.list(),
    remove: (breakpointId) => table.remove(breakpointId),
    async reload() {},
  };
}

/** Of the process that this is. */
function usage(): { readonly cpuMs: number; readonly memoryBytes: number } {
  const { user, system } = process.cpuUsage();
  return { cpuMs: (user + system) / 1000, memoryBytes: process.memoryUsage.rss() };
}

/** Something of what attempts reserve is bounded. */
function isCounted({ guestMemory, guestProcessors }: NodeConfig): boolean {
  return Number.isFinite(guestMemory) || Number.isFinite(guestProcessors);
}

function taskCaps(config: NodeConfig): TaskCaps {
  return {
    memory: config.maxMemory,
    cpu: config.maxCpu,
    processes: config.maxProcesses,
    openFiles: config.maxOpenFiles,
    outputBytes: config.maxOutputBytes,
    timeoutMs: config.maxTimeout,
    warm: config.maxWarm,
    ...(isCounted(config) && { inAll: { memory: config.guestMemory, cpu: config.guestProcessors } }),
  };
}
