/** Composes what callers reach of a node: its services, over gRPC and over HTTP. */
import { randomUUID } from 'node:crypto';
import type { Server as HttpServer } from 'node:http';
import type { Server as GrpcServer } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { NodeConfig } from '../config.ts';
import { createAccessService } from '../server/access/access-service.ts';
import { alwaysAs, TokenAuthenticator } from '../server/access/authenticator.ts';
import { PageAccess } from '../server/access/page-access.ts';
import { seenExecutions } from '../server/access/seen-executions.ts';
import { Arrivals } from '../server/arrivals.ts';
import { ByteBudget } from '../server/byte-budget.ts';
import type { ChainOptions } from '../server/chain.ts';
import { Connections } from '../server/connections.ts';
import { createFunctionService } from '../server/function-service.ts';
import { AccessService } from '../server/gen/spearlet/access_pb.js';
import { FunctionService } from '../server/gen/spearlet/function_pb.js';
import { InstanceService } from '../server/gen/spearlet/instance_pb.js';
import { NodeService } from '../server/gen/spearlet/node_pb.js';
import { SnapshotService } from '../server/gen/spearlet/snapshot_pb.js';
import { TaskService } from '../server/gen/spearlet/task_pb.js';
import { GrpcListener } from '../server/grpc-listener.ts';
import { addService, createGrpcArrivals, createGrpcServer } from '../server/grpc-server.ts';
import { createHttpServer } from '../server/http-server.ts';
import { createInstanceService } from '../server/instance-service.ts';
import { LocalListener } from '../server/local-listener.ts';
import { createNodeService } from '../server/node-service.ts';
import { addReflection } from '../server/reflection.ts';
import { createSnapshotService } from '../server/snapshot-service.ts';
import { createTaskService } from '../server/task-service.ts';
import { Watchers } from '../server/watchers.ts';
import type { Logger } from '../telemetry/logger.ts';
import { loadPageFiles } from '../visualizer/page-files.ts';
import type { Core } from './core.ts';
import { mostConnections } from './descriptors.ts';
import { boundAddress } from './listening.ts';

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
  setHealth(status: 'SERVING' | 'NOT_SERVING'): void;
}

/** What stands around an artifact in its request, in bytes. */
const aroundArtifact = 1024 * 1024;

/** Nothing listens yet. */
export async function openFront(config: NodeConfig, logger: Logger, core: Core): Promise<Front> {
  const { clock, store, supervisor, tasks, instances, feed, inspection } = core;
  const { defaultTotalMs, maxRequestBytes, maxRequestValues, receiveIdleMs, receiveTotalMs } = config;
  const budget = new ByteBudget(config.requestBytesInFlight);
  const pageAccess = new PageAccess(clock);
  const known = { find: (token: string) => core.tokens.find(token) ?? pageAccess.find(token) };
  const chain: ChainOptions = {
    clock,
    maxRequestBytes,
    maxUploadBytes: Math.max(maxRequestBytes, config.maxArtifactBytes + aroundArtifact),
    maxRequestValues,
    budget,
    arrivals: new Arrivals(budget, clock, { idleMs: receiveIdleMs, totalMs: receiveTotalMs }),
    watchers: new Watchers({ most: config.maxWatchers, perCaller: config.maxWatchersPerConnection }),
    authenticator: new TokenAuthenticator(known, {
      name: 'anonymous',
      role: config.anonymousRole === 'none' ? undefined : config.anonymousRole,
    }),
    bug(error, method) {
      const id = randomUUID();
      logger.error({ err: error, method, id }, 'bug: a call failed in Spear itself');
      return id;
    },
  };
  const executions = { executions: supervisor, seen: seenExecutions(supervisor), clock };
  const functions = createFunctionService({ ...executions, tasks, list: store, defaultTotalMs });
  const snapshots = createSnapshotService({ ...executions, snapshots: core.snapshots });
  const node = createNodeService({
    ...executions,
    feed,
    machines: core.machines,
    explanations: supervisor,
    breakpoints: supervisor.breakpoints,
    tasks,
    inputs: store,
  });
  const access = createAccessService({
    ...{ tokens: core.tokens, pageAccess, clock },
    httpAddress: () => boundAddress(http, config.httpAddress),
  });
  const services = [
    { service: FunctionService, handlers: { ...functions } },
    {
      service: TaskService,
      handlers: { ...createTaskService({ executions: supervisor, tasks, list: store }) },
    },
    { service: InstanceService, handlers: { ...createInstanceService({ instances, tasks }) } },
    { service: SnapshotService, handlers: { ...snapshots }, streams: true as const },
    { service: NodeService, handlers: { ...node }, streams: true as const },
    { service: AccessService, handlers: { ...access } },
  ];

  const connections = new Connections({
    most: mostConnections(config.maxConnections),
    perAddress: config.maxConnectionsPerAddress,
  });
  const grpc = createGrpcServer({ ...chain, ...config });
  const arriving = createGrpcArrivals(
    services.map(({ service }) => service),
    chain,
  );
  for (const { service, handlers } of services) addService(grpc, service, handlers, { ...chain, arriving });
  const localGrpc = createGrpcServer({ ...chain, ...config });
  const local = {
    ...chain,
    authenticator: alwaysAs({ name: 'socket', role: 'admin' }),
    // What strangers send leaves the administrator's way in as it is.
    budget: new ByteBudget(config.requestBytesInFlight),
    watchers: new Watchers({ most: config.maxWatchers, perCaller: config.maxWatchers }),
    // Who may open it may do more than to send much.
    arriving: { latest: undefined },
  };
  for (const { service, handlers } of services) addService(localGrpc, service, handlers, local);
  const health = new HealthImplementation({ '': 'NOT_SERVING' });
  for (const server of [grpc, localGrpc]) {
    addReflection(
      server,
      services.map(({ service }) => service),
    );
    health.addToServer(server);
  }
  const http = createHttpServer({
    ...chain,
    pageAccess,
    connections,
    functions,
    services,
    actionsAllowed: config.allowUiActions,
    snapshots,
    page: await loadPageFiles(),
    feed,
    inspections: inspection,
    readiness: () => readiness(core),
  });
  const failed = (error: Error): void => logger.error({ err: error }, 'a connection could not be accepted');
  return {
    grpc,
    listener: new GrpcListener(grpc, { connections, arriving, clock, failed }),
    localGrpc,
    localListener: new LocalListener(localGrpc, failed),
    http,
    pageAccess,
    acceptFailed: failed,
    setHealth(status) {
      for (const name of ['', ...services.map(({ service }) => service.typeName)]) {
        health.setStatus(name, status);
      }
    },
  };
}

function readiness({ lifecycle, storeFault, store }: Core): { ready: boolean; reason: string } {
  const state = lifecycle.getSnapshot().value;
  if (state !== 'serving') return { ready: false, reason: state };
  if (storeFault() !== undefined) return { ready: false, reason: 'the store cannot be written' };
  return store.lowSpace ? { ready: false, reason: 'the disk is full' } : { ready: true, reason: state };
}
