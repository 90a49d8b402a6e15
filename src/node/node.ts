/** Starts one Spear server, and takes it down again. */
import { createActor } from 'xstate';
import type { Supervisor } from '../actors/executions/supervisor.ts';
import { RetentionLoop } from '../actors/log/retention.ts';
import { systemClock } from '../actors/time/system-clock.ts';
import { type NodeConfig, splitAddress } from '../config.ts';
import { hasTls } from '../config-edge.ts';
import type { Clock } from '../domain/clock.ts';
import { nodeMachine } from '../machines/node.ts';
import { shutDown } from '../server/grpc-server.ts';
import type { Store } from '../stores/store.ts';
import type { Log, Logger } from '../telemetry/logger.ts';
import { openCertificates } from './certificates.ts';
import { dutyOf } from './cluster.ts';
import { type Lifecycle, openCore } from './core.ts';
import { Drain } from './drain.ts';
import { type Front, openFront } from './front.ts';
import { openLinks } from './links.ts';
import { closeHttp, listenGrpc, listenHttp } from './listening.ts';
import { leaveNote } from './node-note.ts';
import { warmStored } from './runtimes.ts';

/** A running server. */
export interface Node {
  /** HOST:PORT as bound, so that port 0 can be used. */
  readonly grpcAddress: string;
  readonly httpAddress: string;
  /** Both are reached over TLS. */
  readonly tls: boolean;
  readonly supervisor: Supervisor;
  readonly store: Store;
  /** Resolves with the reason when other nodes have taken over what this one had: it has to end. */
  readonly lost: Promise<Error>;
  /** Resolves when an administrator wants others to have all that it has, and it to begin anew. */
  readonly drained: Promise<void>;
  /** Reads the files of the certificate again; resolves when those who connect see what is in them, or it was not good. */
  reloadCertificates(): Promise<void>;
  /** A code with which a browser opens the page as the administrator: once, within a minute. */
  createPageCode(): string;
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

/** How long a stop waits for the callers to hang up, in milliseconds. */
const lastCallsMs = 1000;

/** Rejects with an error for people where an address is taken or the data folder cannot be used. */
export async function startNode(config: NodeConfig, log: Log, parts: NodeParts = {}): Promise<Node> {
  const lifecycle = createActor(nodeMachine).start();
  try {
    return await open(config, log, parts, lifecycle);
  } catch (error) {
    lifecycle.send({ type: 'failed' });
    throw error;
  }
}

async function open(config: NodeConfig, log: Log, parts: NodeParts, lifecycle: Lifecycle): Promise<Node> {
  const { logger } = log;
  if (config.engine !== undefined && config.nodeName !== '') log.name(config.nodeName);
  // What is open is closed where the start fails, last first.
  await using opened = new AsyncDisposableStack();
  const link = await openLinks(config, systemClock, logger, opened);
  const core = await openCore(config, logger, { ...parts, lifecycle, link }, opened);
  const { clock, time, store, supervisor, runtimes, membership } = core;
  if (config.engine !== undefined) log.name(membership.name);
  const certificates = await openCertificates(config, clock, logger, opened);
  const front = await openFront(config, log, core, certificates, opened);
  lifecycle.send({ type: 'started' });
  await core.recover();
  link?.serve(supervisor.linked, core.cluster);

  opened.defer(() => closeHttp(front.http));
  opened.defer(() => shutDown(front.grpc, timer(clock, lastCallsMs)));
  opened.defer(() => shutDown(front.localGrpc, timer(clock, lastCallsMs)));
  opened.defer(() => front.localListener.close());
  opened.defer(() => front.listener.close());
  const grpcAddress = await listenGrpc(front.listener, config.grpcAddress);
  const httpAddress = await listenHttp(front.http, config.httpAddress, front.acceptFailed);
  core.listening({ grpcAddress, httpAddress });
  for (const address of [grpcAddress, httpAddress]) core.ownPorts.add(splitAddress('', address).port);
  await listenLocally(config, logger, front, grpcAddress, opened);
  lifecycle.send({ type: 'recovered' });
  const { retainFor: maxAgeMs, retainBytes: maxBytes } = config;
  const retention = new RetentionLoop({
    store,
    clock,
    time,
    maxAgeMs,
    maxBytes,
    duty: dutyOf(membership, 'retention'),
    logger,
  });
  retention.start();
  opened.defer(() => retention.stop());
  await warmStored({
    store,
    runtimes,
    served: (task) => core.tasks.revisions.servedTasks(task),
    newest: (task) => supervisor.limitsChanged(task),
  });
  await core.schedules.start();
  front.setServing(true);
  warnOfRoot(config, logger);
  const { dataDir, slots, queueLimit } = config;
  const tls = certificates !== undefined;
  const kept = config.engine === undefined ? {} : { store: config.store };
  logger.info({ grpcAddress, httpAddress, tls, dataDir, ...kept, slots, queueLimit }, 'ready');

  const drain = new Drain({ core, front, dataDir, drainMs: config.drainMs, opened: opened.move(), logger });
  return {
    ...{ grpcAddress, httpAddress, tls, supervisor, store, lost: core.lost, drained: core.drained },
    reloadCertificates: async () => certificates?.reload(),
    createPageCode: () => front.pageAccess.createCode({ name: 'terminal', role: 'admin' }).secret,
    drain: () => drain.begin(),
  };
}

/** The administrator's way in; a node that cannot have it serves those with tokens. */
async function listenLocally(
  config: NodeConfig,
  logger: Logger,
  { localListener }: Front,
  grpcAddress: string,
  opened: AsyncDisposableStack,
): Promise<void> {
  const { socketPath, notesDir } = config;
  if (socketPath === '') {
    logger.warn(
      'no socket for the command: the path of the data folder is too long, and XDG_RUNTIME_DIR is not set',
    );
    return;
  }
  await localListener.listen(socketPath);
  try {
    const note = leaveNote(notesDir, { grpcAddress, socket: socketPath, tls: hasTls(config) });
    opened.defer(() => note.remove());
  } catch (error) {
    logger.warn({ err: error, notesDir }, 'the command cannot be told where this node is; it needs a token');
  }
}

function warnOfRoot({ allowHostAccess }: NodeConfig, logger: Logger): void {
  if (process.getuid?.() !== 0) return;
  logger.warn(
    { allowHostAccess },
    allowHostAccess
      ? 'running as root, and tasks may be processes and have folders of the host'
      : 'running as root: no process tasks, and no folders of the host, without --allow-host-access',
  );
}

function timer(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.setTimer(ms, resolve));
}
