import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalServer, startServer } from '../support/server.ts';

const text = (value: string) => ({ kind: { case: 'stringValue' as const, value } });

describe.each([false, true])(
  'on a node with --allow-guest-loopback=%s a guest with a network',
  (allowGuestLoopback) => {
    let server: LocalServer;
    beforeAll(async () => {
      server = await startServer({ allowGuestLoopback });
      await server.register('fetch', 'misbehaving/fetch.wasm', { allowNetwork: true });
    });
    afterAll(() => server.stop());

    test.each(['httpAddress', 'grpcAddress'] as const)(
      'does not reach the API of the node at its %s',
      async (which) => {
        const port = server[which].split(':').at(-1);
        const authorities = [`127.0.0.1:${port}`, `localhost:${port}`, `[::ffff:127.0.0.1]:${port}`];
        for (const authority of authorities) {
          const { result } = await server.functions.invokeFunction({
            task: 'fetch',
            functionName: 'get',
            parameters: { authority: text(authority), path: text('/api/NodeService/GetNode') },
          });
          expect(Buffer.from(result?.output ?? []).toString()).toBe('"HTTP-request-denied"');
        }
      },
    );
  },
);
