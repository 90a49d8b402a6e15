import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RequestError } from '../../../src/domain/errors.ts';
import type { TaskDraft } from '../../../src/domain/tasks.ts';
import { TlsHost } from '../tls-host.ts';
import { digest, readExample, WasmBench, type WasmRuntime } from './fixture.ts';

const bench = new WasmBench({ ownCache: true });
let host: TlsHost;
let runtime: WasmRuntime;
let noop: Uint8Array;
beforeAll(async () => {
  noop = await readExample('noop/noop');
  host = await TlsHost.open((_request, response) => void response.end(noop));
  const options = { ca: host.ca, allowPrivateHosts: true, maxArtifactBytes: noop.length };
  runtime = await bench.runtime(1, 1, options);
});
afterAll(async () => {
  await Promise.all([host.close(), bench.close()]);
});
beforeEach(() => bench.artifacts.clear());

function draft(source: TaskDraft['source'], sha256 = ''): TaskDraft {
  const { artifact: _artifact, ...rest } = bench.task(new Uint8Array());
  bench.artifacts.clear();
  return { ...rest, source, sha256 };
}

const fetching = { progress: () => {}, signal: new AbortController().signal };

async function refusedField(asked: TaskDraft, by = runtime): Promise<string | undefined> {
  const error: unknown = await by.resolve(asked, fetching).catch((reason: unknown) => reason);
  if (!(error instanceof RequestError)) throw new Error(`not refused: ${String(error)}`);
  expect(error.kind).toBe('invalid_argument');
  return error.violations[0]?.field;
}

describe('an artifact', () => {
  it('is kept under the digest of its content', async () => {
    const sha256 = digest(noop);
    const artifact = await runtime.resolve(draft({ kind: 'content', content: noop }, sha256), fetching);
    expect(artifact).toEqual({ kind: 'wasm', sha256, sizeBytes: noop.length });
    expect([...bench.artifacts.keys()]).toEqual([sha256]);
  });

  it('is fetched, and keeps where it came from', async () => {
    const sha256 = digest(noop);
    const url = host.url('/noop.wasm');
    const artifact = await runtime.resolve(draft({ kind: 'url', url }, sha256), fetching);
    expect(artifact).toEqual({ kind: 'wasm', sha256, sizeBytes: noop.length, url });
    expect(bench.artifacts.get(sha256)).toEqual(Buffer.from(noop));
  });

  it.each(['content', 'url'] as const)('of another digest is refused as %s, and not kept', async (kind) => {
    const source = kind === 'url' ? { kind, url: host.url('/noop.wasm') } : { kind, content: noop };
    expect(await refusedField(draft(source, 'a'.repeat(64)))).toBe('definition.artifact.sha256');
    expect(bench.artifacts.size).toBe(0);
  });

  it('that is too large is refused, and not kept', async () => {
    const content = new Uint8Array(noop.length + 1);
    expect(await refusedField(draft({ kind: 'content', content }))).toBe('definition.artifact.content');
    const small = await bench.runtime(1, 1, {
      ca: host.ca,
      allowPrivateHosts: true,
      maxArtifactBytes: noop.length - 1,
    });
    expect(await refusedField(draft({ kind: 'url', url: host.url('/') }), small)).toBe(
      'definition.artifact.url',
    );
    expect(bench.artifacts.size).toBe(0);
  });

  it('is not fetched from a private host unless that is allowed', async () => {
    const strict = await bench.runtime(1, 1, { ca: host.ca });
    expect(await refusedField(draft({ kind: 'url', url: host.url('/') }), strict)).toBe(
      'definition.artifact.url',
    );
  });

  it.each<TaskDraft['source']>([
    { kind: 'path', path: '/bin/true' },
    { kind: 'image', image: 'busybox' },
  ])('of another runtime’s kind is refused', async (source) => {
    expect(await refusedField(draft(source))).toBe('definition.artifact');
  });
});
