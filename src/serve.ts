import {
  type ConfigFlags,
  type Environment,
  pageLink,
  resolveConfig,
  retiredOptions,
  serviceManager,
} from './config.ts';
import { type Node, startNode } from './node/node.ts';
import { createServiceNotice } from './node/service-notice.ts';
import { createLogger } from './telemetry/logger.ts';
import { createTerminalLogger } from './telemetry/terminal-logger.ts';
import { packageVersion } from './version.ts';

/**
 * Runs a node until SIGTERM or SIGINT, drains it and ends the process with 0; a second signal hurries. Rejects with
 * an error for people where the node cannot start. `tell` is there where stdout is a terminal: somebody hears from it
 * where the node listens, and of what goes wrong, instead of the log in JSON.
 */
export async function serve(
  flags: ConfigFlags,
  env?: Environment,
  tell?: (text: string) => void,
): Promise<void> {
  const config = resolveConfig(tell === undefined ? flags : quietly(flags, env ?? {}), env);
  const logger =
    tell === undefined ? createLogger(config.logLevel) : createTerminalLogger(config.logLevel, tell);
  for (const text of retiredOptions(flags, env)) logger.warn(text);
  const notice = createServiceNotice(serviceManager(env), (why) =>
    logger.warn({ why }, 'systemd was not told how far the node is'),
  );
  const stopRequested = Promise.withResolvers<void>();
  let hurry = (): void => {};
  let reload = (): void => {};
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
  try {
    const node = await startNode(config, logger);
    reload = () => void node.reloadCertificates();
    // A terminal that goes away sends it, too, and then the node is to end as anything else there.
    if (node.tls && tell === undefined) process.on('SIGHUP', onHangUp);
    notice.ready(`gRPC at ${node.grpcAddress}, HTTP at ${node.httpAddress}`);
    tell?.(whereabouts(node, config.dataDir));
    await stopRequested.promise;
    tell?.(`stopping: what runs has ${config.drainMs / 1000} s; a second Ctrl-C hurries\n`);
    notice.stopping();
    const drained = node.drain();
    hurry = () => void node.drain();
    if (signals > 1) hurry();
    await drained;
  } finally {
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
    process.off('SIGHUP', onHangUp);
  }
  // A peer that does not hang up keeps its socket open, and an open socket the process.
  process.exit(0);
}

/** What is told of on a terminal anyway need not come a second time as a line of the log. */
function quietly(flags: ConfigFlags, env: Environment): ConfigFlags {
  const isSaid = flags.logLevel !== undefined || (env.SPEAR_LOG_LEVEL ?? '') !== '';
  return isSaid ? flags : { ...flags, logLevel: 'warn' };
}

function whereabouts(node: Node, dataDir: string): string {
  const { grpcAddress, httpAddress, tls } = node;
  return [
    `spear ${packageVersion()} listens on ${tls ? 'https://' : ''}${grpcAddress} (gRPC) and keeps its data in ${dataDir}\n`,
    `its page is ${pageLink(httpAddress, node.createPageCode(), tls)} (good once, within a minute; spear page prints another link); Ctrl-C or SIGTERM stops it\n`,
  ].join('');
}
