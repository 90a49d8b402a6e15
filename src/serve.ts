import { setFlagsFromString } from 'node:v8';
import { changedOptions } from './config/changes.ts';
import { namedConfigFile } from './config/file.ts';
import { type ConfigFile, OptionSources } from './config/sources.ts';
import {
  type ConfigFlags,
  type Environment,
  type NodeConfig,
  ownEnvironment,
  pageLink,
  resolveConfig,
  retiredOptions,
  serviceManager,
} from './config.ts';
import { hasTls } from './config-edge.ts';
import type { LogControl, LogSettings } from './domain/log-settings.ts';
import { Fenced } from './domain/store-error.ts';
import { type Node, startNode } from './node/node.ts';
import { createServiceNotice } from './node/service-notice.ts';
import { type Logger, openLog } from './telemetry/logger.ts';
import { packageVersion } from './version.ts';

/**
 * V8 counts the memory of buffers together with its own. By itself it collects all garbage for each 64 MB of buffers:
 * once in 50 ms where output streams, half of the node's processor time (docs/performance.md).
 */
const garbageFlag = '--external-memory-accounted-in-global-limit';

/**
 * Runs a node until SIGTERM or SIGINT, drains it and ends the process with 0; a second signal hurries. SIGHUP reads the
 * certificate and the configuration file again. Rejects with an error for people where the node cannot start. `terminal`
 * is there where stdout is one: somebody hears from it where the node listens, and of what goes wrong, unless they ask
 * for JSON.
 */
export async function serve(
  flags: ConfigFlags,
  env: Environment = ownEnvironment,
  terminal?: (text: string) => void,
): Promise<void> {
  setFlagsFromString(garbageFlag);
  const isTerminal = terminal !== undefined;
  const file = namedConfigFile(flags, env);
  const config = resolveConfig(flags, env, file);
  const tell = config.logFormat === 'json' ? undefined : terminal;
  const settings = (now: NodeConfig, read: ConfigFile | undefined): LogSettings => {
    const format = now.logFormat === 'auto' ? (isTerminal ? 'pretty' : 'json') : now.logFormat;
    // What is told of on a terminal anyway need not come a second time as a line of the log.
    const isSaid = tell === undefined || new OptionSources(flags, env, read).find('logLevel') !== undefined;
    return { level: isSaid ? now.logLevel : 'warn', format };
  };
  const log = openLog(settings(config, file), terminal);
  const { logger, control } = log;
  for (const text of retiredOptions(flags, env, file)) logger.warn(text);
  const notice = createServiceNotice(serviceManager(env), (why) =>
    logger.warn({ why }, 'systemd was not told how far the node is'),
  );
  const stopRequested = Promise.withResolvers<void>();
  let hurry = (): void => {};
  let hungUp = false;
  let reload = (): void => {
    hungUp = true;
  };
  const onHangUp = (): void => reload();
  let signals = 0;
  const onSignal = (): void => {
    signals += 1;
    if (signals === 1) stopRequested.resolve();
    else hurry();
  };
  // Before the start, so that a signal that comes early drains the node as well.
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  // A terminal that goes away sends it, too, and then the node is to end as anything else there.
  if ((hasTls(config) || file !== undefined) && !isTerminal) process.on('SIGHUP', onHangUp);
  try {
    for (let isDrained = true; isDrained; ) {
      const node = await startNode(config, log).catch((error: unknown) => {
        if (!(error instanceof Fenced)) throw error;
        logger.error({ why: error.message }, lostWords);
        process.exit(1);
      });
      reload = () => {
        void node.reloadCertificates();
        if (file !== undefined) rereadFile({ flags, env, before: config, logger, control, settings });
      };
      if (hungUp) reload();
      notice.ready(`gRPC at ${node.grpcAddress}, HTTP at ${node.httpAddress}`);
      tell?.(whereabouts(node, config));
      const stopped = stopRequested.promise.then(() => 'stopped' as const);
      const why = await Promise.race([stopped, node.lost, node.drained.then(() => 'drained' as const)]);
      if (why instanceof Error) await end(node, why, logger);
      tell?.(`stopping: what runs has ${config.drainMs / 1000} s; a second Ctrl-C hurries\n`);
      isDrained = why === 'drained';
      if (!isDrained) notice.stopping();
      const drained = node.drain();
      hurry = () => void node.drain();
      if (signals > 1) hurry();
      await drained;
      // Others have what it had: it begins anew, as a node that takes nothing new.
      isDrained &&= signals === 0;
    }
  } finally {
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
    process.off('SIGHUP', onHangUp);
  }
  // A peer that does not hang up keeps its socket open, and an open socket the process.
  process.exit(0);
}

const lostWords = 'other nodes have taken over what this one had: it ends';
/** What a node that has lost its right to write may still do, in milliseconds. */
const lastMs = 5000;

/** Ends what runs, without waiting for anything of it to become durable, and the process with 1. */
async function end(node: Node, lost: Error, logger: Logger): Promise<never> {
  logger.error({ err: lost }, lostWords);
  const drained = node.drain();
  void node.drain();
  await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, lastMs))]);
  process.exit(1);
}

interface Reread {
  readonly flags: ConfigFlags;
  readonly env: Environment;
  /** What the node was started with. */
  readonly before: NodeConfig;
  readonly logger: Logger;
  readonly control: LogControl;
  settings(now: NodeConfig, read: ConfigFile | undefined): LogSettings;
}

/** Changes what can be changed, and says what cannot be. A file that is not good changes nothing. */
function rereadFile({ flags, env, before, logger, control, settings }: Reread): void {
  try {
    const file = namedConfigFile(flags, env);
    const now = resolveConfig(flags, env, file);
    control.change(settings(now, file));
    const { live, waiting } = changedOptions(before, now);
    logger.info({ ...control.settings, changed: live }, 'the configuration file was read again');
    if (waiting.length > 0) logger.warn({ options: waiting }, 'these options change with the next start');
  } catch (error) {
    logger.error({ err: error }, 'the configuration file is not good; everything stays as it was');
  }
}

function whereabouts(node: Node, { dataDir, engine, store }: NodeConfig): string {
  const kept = engine === undefined ? dataDir : `${store}, and in ${dataDir}`;
  const { grpcAddress, httpAddress, tls } = node;
  return [
    `spear ${packageVersion()} listens on ${tls ? 'https://' : ''}${grpcAddress} (gRPC) and keeps its data in ${kept}\n`,
    `its page is ${pageLink(httpAddress, node.createPageCode(), tls)} (good once, within a minute; spear page prints another link); Ctrl-C or SIGTERM stops it\n`,
  ].join('');
}
