import { afterAll, beforeAll, expect } from 'vitest';
import { type LocalServer, startServer } from '../support/server.ts';

/** The server of this file's tests. */
export let server: LocalServer;

/** Starts a server before the tests of a file and stops it after them; it has seen no bug of its own by then. */
export function withServer(
  flags: Parameters<typeof startServer>[0] = {},
  prepare: () => Promise<void> = async () => {},
): void {
  beforeAll(async () => {
    server = await startServer(flags);
    await prepare();
  });

  afterAll(async () => {
    const { bugs } = server;
    await server.stop();
    expect(bugs).toEqual([]);
  });
}
