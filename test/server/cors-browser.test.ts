/** A page of another origin, in a browser, with the client that such pages use. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { expect, it, onTestFinished } from 'vitest';
import { sharedBrowser } from '../support/browser.ts';
import { chromium, describeWhere } from '../support/needs.ts';
import { adminToken, startServer } from '../support/server.ts';
import type { Seen } from './browser-client.ts';

/** The client as one script that makes `client`. */
async function bundledClient(): Promise<string> {
  const entry = fileURLToPath(new URL('browser-client.ts', import.meta.url));
  const built = await build({
    ...{ configFile: false, logLevel: 'error' },
    build: { write: false, lib: { entry, formats: ['iife'], name: 'client' } },
  });
  for (const { output } of [built].flat() as { readonly output?: readonly { readonly type: string }[] }[]) {
    const chunk = output?.find((each): each is { type: 'chunk'; code: string } => each.type === 'chunk');
    if (chunk !== undefined) return chunk.code;
  }
  throw new Error('the client was not built');
}

/** A site of somebody else, and its origin. */
async function otherSite(script: string): Promise<string> {
  const site = createServer((request, response) => {
    const isScript = request.url === '/client.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(
      isScript ? script : '<!doctype html><link rel="icon" href="data:,"><script src="/client.js"></script>',
    );
  });
  onTestFinished(() => void site.close());
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  return `http://localhost:${(site.address() as AddressInfo).port}`;
}

describeWhere([await chromium()], 'a page of another origin', () => {
  it('calls a node that lists it, also with a stream, and one that does not is not to be called', async () => {
    const origin = await otherSite(await bundledClient());
    const server = await startServer({ anonymousRole: 'none', corsOrigin: origin });
    onTestFinished(() => server.stop());
    await server.register('wordcount', 'wordcount/wordcount.wasm');
    await server.register('ticker', 'ticker/ticker.wasm');
    const context = await (await sharedBrowser()).newContext();
    onTestFinished(() => context.close());
    const page = await context.newPage();
    await page.goto(origin);
    const seen = (protocol: string, binary: boolean): Promise<Seen> =>
      page.evaluate(
        `client.callNode('http://${server.httpAddress}', '${adminToken(server.dataDir)}', '${protocol}', ${binary})`,
      );
    for (const protocol of ['connect', 'grpcWeb']) {
      for (const binary of [true, false]) {
        const { output, events, refused } = await seen(protocol, binary);
        expect(output).toContain('2');
        expect(events).toContain('chunk');
        expect(events.at(-1)).toBe('result');
        expect(refused).toContain('[not_found] no task "nothing"');
      }
    }
    await page.goto(origin.replace('localhost', '127.0.0.1'));
    await expect(seen('connect', true)).rejects.toThrow(/Failed to fetch/);
  });
});
