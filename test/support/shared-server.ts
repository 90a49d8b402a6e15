import { afterAll } from 'vitest';
import type { ConfigFlags } from '../../src/config.ts';
import { type LocalServer, startServer } from './server.ts';

/**
 * A node for all tests of a file (or of a `describe`) that leave to each other what they see: the first that asks starts
 * it, and it stops when the last is over. A start takes up to half a second of a core.
 */
export function sharedServer(flags: () => ConfigFlags = () => ({})): () => Promise<LocalServer> {
  let server: Promise<LocalServer> | undefined;
  afterAll(async () => {
    await (await server)?.stop();
  });
  return () => {
    server ??= startServer(flags());
    return server;
  };
}
