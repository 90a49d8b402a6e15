/** Composes what callers reach of a node: its services, over gRPC and over HTTP. */
import { randomUUID } from 'node:crypto';
import type { Server as HttpServer } from 'node:http';
import type { Server as GrpcServer } from '@grpc/grpc-js';
import { type NodeConfig, splitAddress } from '../config.ts';
import { AccessLog } from '../server/access/access-log.ts';
import { createAccessService } from '../server/access/access-service.ts';
import { alwaysAs } from '../server/access/authenticator.ts';
import { OpenCalls } from '../server/access/open-calls.ts';
import { PageAccess } from '../server/access/page-access.ts';
import { seenExecutions } from '../server/access/seen-executions.ts';
import { Arrivals } from '../server/arrivals.ts';
import { createBatchService } from '../server/batch-service.ts';
import { ByteBudget } from '../server/byte-budget.ts';
import { createGrpcArrivals } from '../server/calls-of-services.ts';
import type { ChainOptions, Room } from '../server/chain.ts';
import { createClusterService } from '../server/cluster-service.ts';
import { Connections } from '../server/connections.ts';
import { createFunctionService } from '../server/function-service.ts';
import { AccessService } from '../server/gen/spearlet/access_pb.js';
import { BatchService } from '../server/gen/spearlet/batch_pb.js';
import { ClusterService } from '../server/gen/spearlet/cluster_pb.js';
import { FunctionService } from '../server/gen/spearlet/function_pb.js';
import { InstanceService } from '../server/gen/spearlet/instance_pb.js';
import { NodeService } from '../server/gen/spearlet/node_pb.js';
import { QuotaService } from '../server/gen/spearlet/quota_pb.js';
import { RerunService } from '../server/gen/spearlet/rerun_pb.js';
import { RevisionService } from '../server/gen/spearlet/revision_pb.js';
import { ScheduleService } from '../server/gen/spearlet/schedule_pb.js';
import { SnapshotService } from '../server/gen/spearlet/snapshot_pb.js';
import { TaskService } from '../server/gen/spearlet/task_pb.js';
import { WebhookService } from '../server/gen/spearlet/webhook_pb.js';
import { GrpcListener } from '../server/grpc-listener.ts';
import { addService, createGrpcServer } from '../server/grpc-server.ts';
import { HealthService } from '../server/health-service.ts';
import { AllowedOrigins } from '../server/http-cors.ts';
import { HttpHosts } from '../server/http-hosts.ts';
import { createHttpServer } from '../server/http-server.ts';
import { createInstanceService } from '../server/instance-service.ts';
import { LocalListener } from '../server/local-listener.ts';
import { createNodeService } from '../server/node-service.ts';
import { PageTokens } from '../server/page-tokens.ts';
import { createQuotaService } from '../server/quota-service.ts';
import { addReflection } from '../server/reflection.ts';
import { createRerunService } from '../server/rerun-service.ts';
import { createRevisionService } from '../server/revision-service.ts';
import { createScheduleService } from '../server/schedule-service.ts';
import { createSnapshotService } from '../server/snapshot-service.ts';
import { StalledSends } from '../server/stalled-sends.ts';
import { createTaskService } from '../server/task-service.ts';
import type { CertificateSource } from '../server/tls/certificate-source.ts';
import { PeerCertificates } from '../server/tls/peer-certificates.ts';
import { Watchers } from '../server/watchers.ts';
import { createWebhookService } from '../server/webhook-service.ts';
import type { Log } from '../telemetry/logger.ts';
import { loadPageFiles } from '../visualizer/page-files.ts';
import { openCallers } from './callers.ts';
import type { Core } from './core.ts';
import { mostConnections } from './descriptors.ts';
import { boundAddress } from './listening.ts';
import { webhookRule } from './webhooks.ts';

export interface Front {
  readonly grpc: GrpcServer;
  /** Where `grpc` is reached. */
  readonly listener: GrpcListener;
  /** The same services for the administrator, and their socket. */
  readonly localGrpc: GrpcServer;
  readonly localListener: LocalListener;
  readonly http: HttpServer;
  /** How browsers come to it. */
  readonly pageAccess: PageAccess;
  /** Hears why a connection could not be accepted. */
  acceptFailed(error: Error): void;
  /** What gRPC's health service says of all services. */
  setServing(serving: boolean): void;
}

/** What stands around an artifact in its request, in bytes. */
const aroundArtifact = 1024 * 1024;

/** What those who show nothing may use beside the budget of request bytes, as a part of it. */
const strangersShare = 1 / 8;

/** Nothing listens yet. `certificates` are those of TLS; undefined where callers come in the clear. */
export async function openFront(
  config: NodeConfig,
  { logger, control }: Log,
  core: Core,
  certificates: CertificateSource | undefined,
  opened: AsyncDisposableStack,
): Promise<Front> {
  const { clock, store, supervisor, tasks, instances, feed, inspection } = core;
  const { defaultTotalMs, maxRequestBytes, maxRequestValues, receiveIdleMs, receiveTotalMs } = config;
  const room = (bytes: number): Room => {
    const budget = new ByteBudget(bytes);
    const arrivals = new Arrivals(budget, clock, { idleMs: receiveIdleMs, totalMs: receiveTotalMs });
    return { budget, arrivals };
  };
  const sends = new StalledSends(clock, config.sendIdleMs, config.sendBytesInFlight);
  opened.defer(() => sends.close());
  const pageAccess = new PageAccess(clock);
  const calls = new OpenCalls(clock, {
    perPrincipal: config.maxCallsPerPrincipal,
    perAddress: config.maxCallsPerAddress,
  });
  opened.defer(() => calls.close());
  const chain: ChainOptions = {
    clock,
    maxRequestBytes,
    maxUploadBytes: Math.max(maxRequestBytes, config.maxArtifactBytes + aroundArtifact),
    maxRequestValues,
    ...room(config.requestBytesInFlight),
    strangers: {
      ...room(Math.ceil(strangersShare * config.requestBytesInFlight)),
      watchers: new Watchers({
        most: config.maxWatchers,
        perCaller: config.maxWatchersPerConnection,
        perPrincipal: config.maxWatchers,
      }),
    },
    calls,
    watchers: new Watchers({
      most: config.maxWatchers,
      perCaller: config.maxWatchersPerConnection,
      perPrincipal: config.maxWatchersPerPrincipal,
    }),
    authenticator: await openCallers(
      config,
      logger,
      core,
      {
        ...{ pageAccess, calls },
        countRefused: (count) => core.metrics.calls.countRefusedTokens(count),
      },
      opened,
    ),
    errors: core.metrics.calls,
    access: new AccessLog(
      clock,
      {
        isOn: () => logger.isLevelEnabled('info'),
        refused: (entry) => logger.info(entry, 'a call was refused'),
        slow: (entry) => logger.info(entry, 'a call was slow'),
      },
      config.slowCallMs,
    ),
    bug(error, method) {
      const id = randomUUID();
      logger.error({ err: error, method, id }, 'bug: a call failed in Spear itself');
      return id;
    },
    storeFailed: (error, method) =>
      logger.warn({ err: error, method }, 'a call met a store that does not work'),
  };
  const executions = { executions: supervisor, seen: seenExecutions(supervisor), clock };
  const pageTokens = new PageTokens(core.tokens.keyFor('page tokens'));
  const functions = createFunctionService({
    ...executions,
    ...{ tasks, list: store, pageTokens, defaultTotalMs, traces: core.traces },
    webhooks: webhookRule(config),
  });
  const snapshots = createSnapshotService({ ...executions, snapshots: core.snapshots });
  const node = createNodeService({
    ...executions,
    feed,
    activities: core.activities,
    machines: core.machines,
    explanations: supervisor,
    queueViews: supervisor.queueViews,
    breakpoints: core.breakpoints,
    tasks,
    inputs: store,
    log: control,
    logChanged: ({ level, format }, by) => logger.info({ by, level, format }, 'the log was changed'),
  });
  const access = createAccessService({
    ...{ tokens: core.tokens, pageAccess, openCalls: calls, clock },
    httpAddress: () => boundAddress(http, config.httpAddress),
    tls: certificates !== undefined,
    seen: executions.seen,
    taskTenants: () => store.taskTenants(),
  });
  const services = [
    { service: FunctionService, handlers: { ...functions } },
    {
      service: TaskService,
      handlers: {
        ...createTaskService({
          ...{ executions: supervisor, tasks, list: store, pageTokens, revisions: tasks.revisions },
          quarantines: supervisor.quarantines,
          caches: supervisor.cache,
          imageRegistries: config.imageRegistry,
        }),
      },
    },
    {
      service: RevisionService,
      handlers: {
        ...createRevisionService({
          ...{ revisions: tasks.revisions, pageTokens },
          moved: (entry) => logger.info(entry, 'an alias of a task was moved'),
        }),
      },
    },
    {
      service: BatchService,
      handlers: {
        ...createBatchService({
          ...{ batches: supervisor.batches, tasks, pageTokens, clock },
          ...{ defaultTotalMs, mostTotalMs: config.maxTimeout, traces: core.traces },
          webhooks: webhookRule(config),
        }),
      },
      streams: true as const,
    },
    {
      service: RerunService,
      handlers: {
        ...createRerunService({
          ...{
            executions: supervisor,
            batches: supervisor.batches,
            tasks,
            list: store,
            records: store,
            clock,
          },
          ...{ traces: core.traces, defaultTotalMs, webhooks: webhookRule(config) },
        }),
      },
      streams: true as const,
    },
    { service: InstanceService, handlers: { ...createInstanceService({ instances, tasks }) } },
    { service: SnapshotService, handlers: { ...snapshots }, streams: true as const },
    { service: NodeService, handlers: { ...node }, streams: true as const },
    {
      service: ClusterService,
      handlers: { ...createClusterService(core.cluster) },
      streams: true as const,
    },
    { service: AccessService, handlers: { ...access } },
    {
      service: WebhookService,
      handlers: {
        ...createWebhookService({ deliveries: core.webhooks, seen: executions.seen, pageTokens }),
      },
    },
    { service: QuotaService, handlers: { ...createQuotaService(supervisor.quotas) } },
    {
      service: ScheduleService,
      handlers: { ...createScheduleService({ schedules: core.schedules, pageTokens, clock }) },
    },
  ];

  const connections = new Connections({
    most: mostConnections(config.maxConnections),
    perAddress: config.maxConnectionsPerAddress,
  });
  const grpc = createGrpcServer({ ...chain, ...config });
  const peers = new PeerCertificates();
  const arriving = createGrpcArrivals(
    services.map(({ service }) => service),
    { ...chain, peers, sends },
  );
  for (const { service, handlers } of services) {
    addService(grpc, service, handlers, { ...chain, arriving, peers });
  }
  const localGrpc = createGrpcServer({ ...chain, ...config });
  const local = {
    ...chain,
    authenticator: alwaysAs({ name: 'socket', role: 'admin' }),
    // What strangers send leaves the administrator's way in as it is.
    budget: new ByteBudget(config.requestBytesInFlight),
    watchers: new Watchers({
      most: config.maxWatchers,
      perCaller: config.maxWatchers,
      perPrincipal: config.maxWatchers,
    }),
    calls: new OpenCalls(clock, { perPrincipal: Number.MAX_VALUE, perAddress: Number.MAX_VALUE }),
    // Who may open it may do more than to send much.
    arriving: { latest: undefined },
  };
  for (const { service, handlers } of services) addService(localGrpc, service, handlers, local);
  const health = new HealthService(
    services.map(({ service }) => service.typeName),
    { clock, isReady: () => readiness(core).ready },
  );
  const described = services.map(({ service }) => service);
  addReflection(grpc, described, arriving);
  addReflection(localGrpc, described);
  health.addTo(grpc);
  health.addTo(localGrpc);
  const hosts = new HttpHosts({
    bound: splitAddress('--http-address', config.httpAddress).host,
    configured: config.httpHost,
    certificate: () => certificates?.pair.names ?? [],
  });
  const secure = certificates !== undefined && { certificates };
  const http = createHttpServer({
    ...chain,
    ...secure,
    hosts,
    origins: new AllowedOrigins(config.corsOrigin),
    handshakeMs: receiveIdleMs,
    pageAccess,
    connections,
    sends,
    functions,
    services,
    snapshots,
    page: await loadPageFiles(),
    feed,
    inspections: inspection,
    metrics: core.metrics,
    readiness: () => readiness(core),
  });
  const failed = (error: Error): void => logger.error({ err: error }, 'a connection could not be accepted');
  return {
    grpc,
    listener: new GrpcListener(grpc, {
      ...{ connections, arriving, clock, failed, peers, handshakeMs: receiveIdleMs },
      ...secure,
    }),
    localGrpc,
    localListener: new LocalListener(localGrpc, failed),
    http,
    pageAccess,
    acceptFailed: failed,
    setServing: (serving) => health.open(serving),
  };
}

function readiness({ lifecycle, storeFault, store, membership, isCordoned }: Core): {
  ready: boolean;
  reason: string;
} {
  const state = lifecycle.getSnapshot().value;
  if (state !== 'serving') return { ready: false, reason: state };
  if (storeFault() !== undefined) return { ready: false, reason: 'the store cannot be written' };
  if (!membership.mayAct()) return { ready: false, reason: 'the database does not answer' };
  if (store.lowSpace) return { ready: false, reason: 'the disk is full' };
  return isCordoned() ? { ready: false, reason: 'cordoned' } : { ready: true, reason: state };
}
