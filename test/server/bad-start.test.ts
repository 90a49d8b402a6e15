import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { resolveConfig } from '../../src/config.ts';
import { spawnServer, startServer, temporaryDataDir } from '../support/server.ts';
import { withSturdyServer } from './bad-input.ts';
import { server } from './local.ts';

withSturdyServer();

describe('a server', () => {
  async function startError(flags: Parameters<typeof startServer>[0]): Promise<string> {
    return startServer(flags).then(
      async (started) => {
        await started.stop();
        throw new Error('the server started');
      },
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
  }

  test('does not start on a port in use, says which, and lets go of its folder', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void taken.close());
    const bound = taken.address();
    const address = `127.0.0.1:${bound !== null && typeof bound === 'object' ? bound.port : 0}`;
    const dataDir = await temporaryDataDir();
    expect(await startError({ grpcAddress: address, dataDir })).toContain(address);
    expect(await startError({ httpAddress: address, dataDir })).toContain(address);
    await (await startServer({ dataDir })).stop();
  });

  test('does not start on the data folder of another server, and says so', async () => {
    const { dataDir } = server;
    const message = await startErrorOfChild(dataDir);
    expect(message).toContain(dataDir);
    expect(message).toContain('in use by another server');
    expect(await server.functions.invokeFunction({ task: 'count' })).toMatchObject({ success: true });
  });

  test('does not start where the data folder cannot be one, and says so', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'spear-bad-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'file');
    await writeFile(file, '');
    for (const dataDir of [file, join(file, 'below'), '/sys/spear', '/proc/spear']) {
      const message = await startError({ dataDir });
      expect(message).toContain(dataDir);
      expect(message).toMatch(/cannot be made or written/);
    }
  });

  async function startErrorOfChild(dataDir: string): Promise<string> {
    return spawnServer(dataDir).then(
      async (started) => {
        await started.end('SIGKILL');
        throw new Error('the server started');
      },
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
  }

  test.each([
    ['grpcAddress', '0.0.0.0:50051', /--grpc-address.*--insecure-listen/],
    ['httpAddress', 'example.com:80', /--http-address.*--insecure-listen/],
    ['grpcAddress', 'nonsense', /--grpc-address.*HOST:PORT/],
    ['grpcAddress', '127.0.0.1:70000', /--grpc-address/],
    ['slots', '0', /--slots/],
    ['slots', 'many', /--slots.*many/],
    ['queueLimit', '-1', /--queue-limit/],
    ['maxRequestBytes', String(128 * 1024 * 1024 + 1), /--max-request-bytes.*134217728/],
    ['imageRegistry', 'https://registry.example', /--image-registry.*HOST:PORT/],
    ['logLevel', 'loud', /--log-level.*loud/],
    ['otlpEndpoint', '127.0.0.1:4318', /--otlp-endpoint.*http/],
    ['otlpEndpoint', 'http://127.0.0.1/?key=secret', /--otlp-endpoint.*OTEL_EXPORTER_OTLP_HEADERS/],
    ['otlpEndpoint', 'http://me:secret@127.0.0.1', /--otlp-endpoint.*without a name, a password and a query/],
    ['traceUrl', 'http://a/trace', /--trace-url.*\{trace_id\}/],
    ['traceUrl', 'http://{trace_id}.a/{trace_id}', /--trace-url/],
    ['traceUrl', 'javascript:alert({trace_id})', /--trace-url.*http/],
    ['traceUrl', 'http://me:hunter2@a/{trace_id}', /--trace-url(?!.*hunter2)/],
    ['traceUrl', 'http://a/{trace}/{trace_id}', /--trace-url/],
    ['traceSample', '2', /--trace-sample.*from 0 to 1/],
  ] as const)('refuses the option %s = %s and names it', (name, value, says) => {
    expect(() => resolveConfig({ [name]: value }, {})).toThrow(says);
  });
});
