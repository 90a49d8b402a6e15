import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RequestError } from '../../src/domain/errors.ts';
import type { ArtifactProgress } from '../../src/domain/tasks.ts';
import { type DownloadOptions, download } from '../../src/runtimes/download.ts';
import { isPublicAddress } from '../../src/runtimes/public-address.ts';
import { TlsHost } from './tls-host.ts';

const content = Buffer.from(Array.from({ length: 600_000 }, (_, index) => (index * 7) & 0xff));
let host: TlsHost;
beforeAll(async () => {
  host = await TlsHost.open(answer);
});
afterAll(() => host.close());
beforeEach(() => void host.asked.splice(0));

function answer({ url = '', headers }: IncomingMessage, response: ServerResponse): void {
  const [, what = '', ...rest] = url.split('/');
  if (what === 'file') response.end(content);
  else if (what === 'sized') response.setHeader('content-length', content.length).end(content);
  else if (what === 'claims') response.setHeader('content-length', 2 ** 40).write('x');
  else if (what === 'endless') pour(response);
  else if (what === 'cut') {
    response.setHeader('content-length', 100).write('x', () => response.destroy());
  } else if (what === 'hangs') response.write('x');
  else if (what === 'silent') return;
  else if (what === 'packed') response.setHeader('content-encoding', 'gzip').end('x');
  else if (what === 'asked') response.end(headers['accept-encoding']);
  else if (what === 'loop') response.writeHead(302, { location: '/loop' }).end();
  else if (what === 'to') {
    response.writeHead(307, { location: decodeURIComponent(rest.join('/')) }).end();
  } else response.writeHead(404).end('secret words of the host');
}

function pour(response: ServerResponse): void {
  while (!response.destroyed && response.write(content));
  if (!response.destroyed) response.once('drain', () => pour(response));
}

function to(location: string): string {
  return host.url(`/to/${encodeURIComponent(location)}`);
}

function fetch(url: string, options: Partial<DownloadOptions> = {}): Promise<Uint8Array> {
  return download(url, {
    maxBytes: 1_000_000,
    allowPrivateHosts: true,
    progress: () => {},
    signal: new AbortController().signal,
    ca: host.ca,
    ...options,
  });
}

async function refusal(url: string, options: Partial<DownloadOptions> = {}): Promise<RequestError> {
  const error: unknown = await fetch(url, options).catch((reason: unknown) => reason);
  if (error instanceof RequestError) return error;
  throw new Error(`not refused: ${String(error)}`);
}

const notAllowed = { kind: 'invalid_argument', violations: [{ field: 'definition.artifact.url' }] };
const unavailable = { kind: 'failed_precondition', reason: 'ARTIFACT_UNAVAILABLE' };

describe('a download', () => {
  it('is whole, and tells how far it is', async () => {
    const steps: ArtifactProgress[] = [];
    const bytes = await fetch(host.url('/sized/app.wasm'), { progress: (step) => steps.push(step) });
    expect(Buffer.compare(bytes, content)).toBe(0);
    expect(steps.length).toBeGreaterThan(1);
    expect(steps[0]).toMatchObject({ part: 'app.wasm', status: 'downloading', totalBytes: 600_000 });
    expect(steps.at(-1)).toEqual({
      part: 'app.wasm',
      status: 'downloaded',
      doneBytes: 600_000,
      totalBytes: 600_000,
    });
  });

  it('follows redirects, relative ones too, five times', async () => {
    let url = '/file';
    for (let times = 0; times < 5; times += 1) url = `/to/${encodeURIComponent(url)}`;
    expect(await fetch(host.url(url))).toHaveLength(content.length);
    expect(host.asked).toHaveLength(6);
  });

  it('asks for bytes that are not compressed', async () => {
    expect(Buffer.from(await fetch(host.url('/asked'))).toString()).toBe('identity');
  });

  it('reaches a host by its name', async () => {
    expect(await fetch(host.url('/file', 'localhost'))).toHaveLength(content.length);
  });
});

describe('a URL is not allowed', () => {
  it.each([
    ['that is none', 'app.wasm'],
    ['of another scheme', 'http://example.com/app.wasm'],
    ['of a file', 'file:///etc/passwd'],
    ['with a user', 'https://user@example.com/app.wasm'],
    ['with a password', 'https://:word@example.com/app.wasm'],
  ])('%s', async (_what, url) => {
    expect(await refusal(url)).toMatchObject(notAllowed);
  });

  it.each([
    '127.0.0.1',
    '127.1',
    '0x7f000001',
    '2130706433',
    '0.0.0.0',
    '10.0.0.1',
    '169.254.169.254',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '[fd00::1]',
    '[fe80::1]',
    'localhost',
  ])('that goes to %s, which is not public', async (name) => {
    expect(await refusal(host.url('/file', name), { allowPrivateHosts: false })).toMatchObject(notAllowed);
    expect(host.asked).toEqual([]);
  });

  it.each([
    ['http', 'http://127.0.0.1/'],
    ['a file', 'file:///etc/passwd'],
    ['a user', 'https://user@127.0.0.1/'],
  ])('that redirects to %s', async (_what, location) => {
    expect(await refusal(to(location))).toMatchObject(notAllowed);
  });

  it.each(['10.0.0.1', '[::1]', '[::ffff:127.0.0.1]', 'localhost'])(
    'that redirects from a public host to %s',
    async (name) => {
      // Loopback stands for the public internet, for the first host only.
      const isPublic = (address: string) => host.asked.length === 0 && address === '127.0.0.1';
      const options = { allowPrivateHosts: false, isPublic };
      expect(await refusal(to(host.url('/file', name)), options)).toMatchObject(notAllowed);
      expect(host.asked).toHaveLength(1);
    },
  );

  it('whose file is larger than it says, or says too much', async () => {
    const most = { maxBytes: content.length - 1 };
    expect(await refusal(host.url('/file'), most)).toMatchObject(notAllowed);
    expect(await refusal(host.url('/sized'), most)).toMatchObject(notAllowed);
    expect(await refusal(host.url('/claims'))).toMatchObject(notAllowed);
    expect(await refusal(host.url('/endless'))).toMatchObject(notAllowed);
    expect(await fetch(host.url('/file'), { maxBytes: content.length })).toHaveLength(content.length);
  });
});

describe('an artifact is unavailable', () => {
  it('where its host answers with an error, whose words stay there', async () => {
    const error = await refusal(host.url('/nothing'));
    expect(error).toMatchObject(unavailable);
    expect(error.message).toContain('HTTP 404');
    expect(error.message).not.toContain('secret');
  });

  it.each(['/loop', '/cut', '/packed'])('where its host answers with %s', async (path) => {
    expect(await refusal(host.url(path))).toMatchObject(unavailable);
  });

  it.each(['/silent', '/hangs'])('where its host stalls with %s', async (path) => {
    const error = await refusal(host.url(path), { stallMs: 50 });
    expect(error).toMatchObject(unavailable);
    expect(error.message).toContain('sent nothing for too long');
  });

  it('where nobody vouches for its host', async () => {
    const other = await TlsHost.open(answer);
    expect(await refusal(host.url('/file'), { ca: other.ca })).toMatchObject(unavailable);
    await other.close();
    expect(await refusal(other.url('/file'))).toMatchObject(unavailable);
  });

  it('where its host has no address', async () => {
    expect(await refusal('https://nothing.invalid/app.wasm')).toMatchObject(unavailable);
  });
});

describe('a download that is given up', () => {
  it('ends with the reason, before and while it runs', async () => {
    const reason = new Error('given up');
    await expect(fetch(host.url('/file'), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const progress = () => controller.abort(reason);
    const endless = fetch(host.url('/endless'), { signal: controller.signal, progress });
    await expect(endless).rejects.toBe(reason);
  });
});

describe('an address', () => {
  it.each(['8.8.8.8', '100.63.255.255', '100.128.0.0', '172.32.0.1', '2606:4700::1', '2a00:1450::5'])(
    '%s is public',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  it.each([
    '0.1.2.3',
    '100.64.0.1',
    '100.127.255.255',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.8',
    '192.168.1.1',
    '198.19.0.1',
    '203.0.113.9',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::7f00:1',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2002:808:808::',
    '3fff::1',
    'fc00::1',
    'fdff::1',
    'fe80::1',
    'fe80::1%lo',
    'febf::1',
    'fec0::1',
    'ff02::1',
    'not an address',
  ])('%s is not public', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});
