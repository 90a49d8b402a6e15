/** Composes one Spear server out of its parts, and takes it apart again. The only place that knows them all. */
import { randomUUID } from 'node:crypto';
import type { Server as HttpServer } from 'node:http';
import { join } from 'node:path';
import type { Server as GrpcServer } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { createActor } from 'xstate';
import { createIds } from './actors/ids.ts';
import { InstanceRegistry } from './actors/instances.ts';
import { leftInstances } from './actors/recovery.ts';
import { RetentionLoop } from './actors/retention.ts';
import { Supervisor } from './actors/supervisor.ts';
import { systemClock } from './actors/system-clock.ts';
import { TaskCatalog } from './actors/task-catalog.ts';
import { type NodeConfig, splitAddress } from './config.ts';
import { isTerminal } from './domain/execution.ts';
import { describeMachines } from './machines/describe.ts';
import { nodeMachine } from './machines/node.ts';
import { closeRuntimes, keepWarm, openRuntimes, warmStored } from './node-runtimes.ts';
import { openSnapshots } from './node-snapshots.ts';
import { nodeStatus } from './node-status.ts';
import { ByteBudget, type ChainOptions } from './server/chain.ts';
import { createFunctionService } from './server/function-service.ts';
import { FunctionService } from './server/gen/spearlet/function_pb.js';
import { InstanceService } from './server/gen/spearlet/instance_pb.js';
import { NodeService } from './server/gen/spearlet/node_pb.js';
import { SnapshotService } from './server/gen/spearlet/snapshot_pb.js';
import { TaskService } from './server/gen/spearlet/task_pb.js';
import { addService, bind, createGrpcServer, shutDown } from './server/grpc-server.ts';
import { createHttpServer } from './server/http-server.ts';
import { createInstanceService } from './server/instance-service.ts';
import { createNodeService } from './server/node-service.ts';
import { addReflection } from './server/reflection.ts';
import { createSnapshotService } from './server/snapshot-service.ts';
import { createTaskService } from './server/task-service.ts';
import { openArtifacts } from './stores/artifacts.ts';
import { readNodeId } from './stores/node-id.ts';
import { openSqliteStore } from './stores/sqlite/store.ts';
import type { Store } from './stores/store.ts';
import { logExecution } from './telemetry/execution-logger.ts';
import type { Logger } from './telemetry/logger.ts';
import { Feed } from './visualizer/feed.ts';
import { CommitHub } from './visualizer/hub.ts';
import { Inspection } from './visualizer/inspection.ts';
import { loadPageFiles } from './visualizer/page-files.ts';

/** A running server. */
export interface Node {
  /** HOST:PORT as bound, so that port 0 can be used. */
  readonly grpcAddress: string;
  readonly httpAddress: string;
  readonly supervisor: Supervisor;
  readonly store: Store;
  /**
   * Takes no new work, gives what runs the drain time, leaves the rest to the next start and stops. Resolves when
   * everything is durable and closed. A second call hurries.
   */
  drain(): Promise<void>;
}

/** What a node may be given instead of its own. */
export interface NodeParts {
  /** The node closes it. */
  readonly store?: Store;
}

/** How long a stop waits for the last commits, in milliseconds. */
const lastCommitsMs = 10_000;

/** Rejects with an error for people where an address is taken or the data folder cannot be used. */
export async function startNode(config: NodeConfig, logger: Logger, parts: NodeParts = {}): Promise<Node> {
  const clock = systemClock;
  const lifecycle = createActor(nodeMachine).start();
  const store = parts.store ?? (await openSqliteStore({ dataDir: config.dataDir }));
  const closers: (() => Promise<unknown>)[] = [() => store.close()];
  try {
    const artifacts = await openArtifacts(join(config.dataDir, 'artifacts'));
    const ids = createIds(clock);
    const nodeId = await readNodeId(config.dataDir, () => ids('node_'));
    const hostAccess = config.allowHostAccess || process.getuid?.() !== 0;
    const registry = new InstanceRegistry(clock);
    const runtimes = await openRuntimes(config, {
      nodeId,
      artifacts,
      registry,
      clock,
      ids,
      hostAccess,
      logger,
      spare: await leftInstances(store),
    });
    closers.unshift(() => closeRuntimes(runtimes));
    let storeFault: Error | undefined;
    const hub = new CommitHub((error) => logger.error({ err: error }, 'bug: what watches the node failed'));
    const supervisor = new Supervisor({
      clock,
      ids,
      random: Math.random,
      store,
      runtimes,
      slots: config.slots,
      queueLimit: config.queueLimit,
      listener: {
        committed(record, events) {
          logExecution(logger, record);
          hub.committed(record, events);
        },
        storeHealth(error) {
          storeFault = error;
          if (error === undefined) logger.info('the store works again');
          else logger.error({ err: error }, 'the store cannot be written; new work is refused');
        },
        bug: (error, executionId) =>
          logger.error({ err: error, executionId }, 'bug: an attempt failed in Spear itself'),
      },
    });
    const listener = keepWarm(runtimes);
    const tasks = new TaskCatalog({ store, runtimes, clock, ids, hostAccess, listener });

    const snapshots = await openSnapshots(config, {
      nodeId,
      store,
      artifacts,
      runtimes,
      tasks,
      transfers: supervisor,
      clock,
      ids,
      hostAccess,
      checkOpen: () => supervisor.checkOpen(),
    });

    const { defaultTotalMs, maxRequestBytes } = config;
    const chain: ChainOptions = {
      clock,
      maxRequestBytes,
      budget: new ByteBudget(config.requestBytesInFlight),
      bug(error, method) {
        const id = randomUUID();
        logger.error({ err: error, method, id }, 'bug: a call failed in Spear itself');
        return id;
      },
    };
    const functions = createFunctionService({
      executions: supervisor,
      tasks,
      list: store,
      clock,
      defaultTotalMs,
    });
    const taskHandlers = createTaskService({ executions: supervisor, tasks, list: store });
    const nodeState = (): string => lifecycle.getSnapshot().value;
    let revived = 0;
    const feed: Feed = new Feed({
      clock,
      store,
      position: await store.lastPosition(),
      status: nodeStatus({
        nodeId,
        config,
        clock,
        store,
        supervisor,
        instances: registry,
        state: nodeState,
        storeFault: () => storeFault,
        revived: () => revived,
        position: () => feed.position,
      }),
    });
    hub.add((record, events) => feed.committed(record, events));
    const machines = describeMachines();
    const nodeHandlers = createNodeService({
      feed,
      machines,
      explanations: supervisor,
      breakpoints: supervisor.breakpoints,
      executions: supervisor,
      tasks,
      inputs: store,
      clock,
    });
    const snapshotHandlers = createSnapshotService({
      snapshots: {
        take: snapshots.take,
        async restore(...document) {
          const restored = await snapshots.restore(...document);
          // One that goes on is heard of by its next commit.
          if (isTerminal(restored.record.status)) hub.committed(restored.record, []);
          return restored;
        },
      },
      executions: supervisor,
      clock,
    });
    const inspection = new Inspection({
      nodeId,
      machines,
      nodeState,
      store,
      listen: (tap) => hub.add(tap),
      failed: (error) => logger.error({ err: error }, 'an inspector could not be told of what is under way'),
    });
    const services = [
      { service: FunctionService, handlers: { ...functions } },
      { service: TaskService, handlers: { ...taskHandlers } },
      { service: InstanceService, handlers: { ...createInstanceService({ instances: registry, tasks }) } },
      {
        service: SnapshotService,
        handlers: { ...snapshotHandlers },
        streams: true as const,
      },
      { service: NodeService, handlers: { ...nodeHandlers }, streams: true as const },
    ];

    const grpc = createGrpcServer(chain);
    for (const { service, handlers } of services) addService(grpc, service, handlers, chain);
    addReflection(
      grpc,
      services.map(({ service }) => service),
    );
    const health = new HealthImplementation({ '': 'NOT_SERVING' });
    health.addToServer(grpc);
    const http = createHttpServer({
      ...chain,
      functions,
      services,
      actionsAllowed: config.allowUiActions,
      snapshots: snapshotHandlers,
      page: await loadPageFiles(),
      feed,
      inspections: inspection,
      readiness() {
        const state = nodeState();
        if (state !== 'serving') return { ready: false, reason: state };
        if (storeFault !== undefined) return { ready: false, reason: 'the store cannot be written' };
        return store.lowSpace ? { ready: false, reason: 'the disk is full' } : { ready: true, reason: state };
      },
    });

    lifecycle.send({ type: 'started' });
    const recovered = await supervisor.recover();
    revived = recovered.revived;
    if (recovered.revived + recovered.incompatible > 0) {
      logger.info({ ...recovered }, 'took up the executions of an earlier run');
    }

    closers.unshift(() => shutDown(grpc, Promise.resolve()));
    const grpcAddress = await listenGrpc(grpc, config.grpcAddress);
    closers.unshift(() => closeHttp(http));
    const httpAddress = await listenHttp(http, config.httpAddress);
    lifecycle.send({ type: 'recovered' });
    const retention = new RetentionLoop({
      store,
      clock,
      maxAgeMs: config.retainFor,
      maxBytes: config.retainBytes,
      logger,
    });
    retention.start();
    closers.unshift(() => retention.stop());
    await warmStored(store, runtimes);
    const names = ['', ...services.map(({ service }) => service.typeName)];
    for (const name of names) health.setStatus(name, 'SERVING');
    if (process.getuid?.() === 0) {
      logger.warn(
        { allowHostAccess: config.allowHostAccess },
        config.allowHostAccess
          ? 'running as root, and tasks may be processes and have folders of the host'
          : 'running as root: no process tasks, and no folders of the host, without --allow-host-access',
      );
    }
    logger.info(
      {
        grpcAddress,
        httpAddress,
        dataDir: config.dataDir,
        slots: config.slots,
        queueLimit: config.queueLimit,
      },
      'ready',
    );

    let hurry = (): void => {};
    let draining: Promise<void> | undefined;
    const drain = async (): Promise<void> => {
      lifecycle.send({ type: 'drain' });
      for (const name of names) health.setStatus(name, 'NOT_SERVING');
      supervisor.stopAccepting();
      logger.info({ ...supervisor.load }, 'draining');
      const patience = new Promise<void>((resolve) => {
        hurry = resolve;
        clock.setTimer(config.drainMs, resolve);
      });
      await Promise.race([supervisor.quiet(), patience]);
      // A store that does not work must not keep the node from stopping: what it has not taken is found at the next start.
      const lastCommits = new Promise<void>((resolve) => {
        hurry = resolve;
        clock.setTimer(lastCommitsMs, resolve);
      });
      await Promise.race([supervisor.leave(), lastCommits]);
      supervisor.close();
      feed.close();
      inspection.close();
      await retention.stop();
      const lastCalls = new Promise<void>((resolve) => clock.setTimer(1000, resolve));
      await shutDown(grpc, lastCalls);
      await closeHttp(http);
      await closeRuntimes(runtimes);
      await store.close();
      lifecycle.send({ type: 'drained' });
      logger.info('stopped');
    };
    return {
      grpcAddress,
      httpAddress,
      supervisor,
      store,
      drain() {
        if (draining === undefined) draining = drain();
        else hurry();
        return draining;
      },
    };
  } catch (error) {
    lifecycle.send({ type: 'failed' });
    for (const close of closers) await close();
    throw error;
  }
}

async function listenGrpc(server: GrpcServer, address: string): Promise<string> {
  const { host } = splitAddress('--grpc-address', address);
  const port = await bind(server, address);
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function listenHttp(server: HttpServer, address: string): Promise<string> {
  const { host, port } = splitAddress('--http-address', address);
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new Error(`cannot listen on ${address}: ${error.message}`)));
    server.listen(port, host, () => {
      const bound = server.address();
      const boundPort = bound !== null && typeof bound === 'object' ? bound.port : port;
      resolve(`${host.includes(':') ? `[${host}]` : host}:${boundPort}`);
    });
  });
}

function closeHttp(server: HttpServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
