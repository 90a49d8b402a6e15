import { type ConfigFlags, type Environment, resolveConfig } from './config.ts';
import { startNode } from './node.ts';
import { createLogger } from './telemetry/logger.ts';

/**
 * Runs a node until SIGTERM or SIGINT, drains it and resolves. A second signal hurries. Rejects with an error for
 * people where it cannot start.
 */
export async function serve(flags: ConfigFlags, env?: Environment): Promise<void> {
  const config = resolveConfig(flags, env);
  const logger = createLogger(config.logLevel);
  const node = await startNode(config, logger);
  const stopped = Promise.withResolvers<void>();
  const stop = (): void => {
    node.drain().then(stopped.resolve, stopped.reject);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  await stopped.promise;
  process.off('SIGTERM', stop);
  process.off('SIGINT', stop);
}
