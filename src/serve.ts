import { type ConfigFlags, type Environment, resolveConfig } from './config.ts';
import { startNode } from './node/node.ts';
import { createLogger } from './telemetry/logger.ts';

/**
 * Runs a node until SIGTERM or SIGINT, drains it and ends the process with 0; a second signal hurries. Rejects with
 * an error for people where the node cannot start.
 */
export async function serve(flags: ConfigFlags, env?: Environment): Promise<void> {
  const config = resolveConfig(flags, env);
  const logger = createLogger(config.logLevel);
  const stopRequested = Promise.withResolvers<void>();
  let hurry = (): void => {};
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
    await stopRequested.promise;
    const drained = node.drain();
    hurry = () => void node.drain();
    if (signals > 1) hurry();
    await drained;
  } finally {
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
  }
  // A peer that does not hang up keeps its socket open, and an open socket the process.
  process.exit(0);
}
