import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { http, withHttp } from './http.ts';
import { server } from './local.ts';

withHttp();

const built = new URL('../../src/visualizer/gen/', import.meta.url);

function bytesOf(path: string, headers: Readonly<Record<string, string>>): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const [host, port] = server.httpAddress.split(':');
    const call = request({ host, port, path, headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve(Buffer.concat(parts)));
    });
    call.on('error', reject);
    call.end();
  });
}

describe('the page', () => {
  test('is at the root, under a policy that lets it load nothing from elsewhere and run nothing inline', async () => {
    const answer = await http('GET', '/?execution=exec_1&at=5');
    expect(answer.code).toBe(200);
    expect(answer.text).toBe(await readFile(new URL('index.html', built), 'utf8'));
    expect(answer.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-cache',
    });
    const policy = String(answer.headers['content-security-policy']).split('; ');
    expect(policy).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "img-src 'self' data:",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]);
    expect(answer.text).not.toMatch(/(src|href)="(https?:)?\/\/|style="|<script>|onclick=/);
  });

  test('comes small where the reader takes that, and not again where it has not changed', async () => {
    const plain = await bytesOf('/', {});
    const packed = await http('GET', '/', undefined, { 'accept-encoding': 'br, gzip' });
    expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding' });
    expect(gunzipSync(await bytesOf('/', { 'accept-encoding': 'gzip' }))).toEqual(plain);
    const refused = await http('GET', '/', undefined, { 'accept-encoding': 'gzip;q=0' });
    expect(refused.headers).not.toHaveProperty('content-encoding');
    const etag = String(packed.headers.etag);
    const again = await http('GET', '/', undefined, { 'if-none-match': `"other", W/${etag}` });
    expect({ code: again.code, text: again.text }).toEqual({ code: 304, text: '' });
    expect(again.headers).toHaveProperty('content-security-policy');
  });

  test('is only read, also by its head', async () => {
    const head = await http('HEAD', '/');
    expect(head).toMatchObject({ code: 200, text: '' });
    expect((await http('POST', '/', '{}')).code).toBe(405);
    expect((await http('GET', '/index.html')).code).toBe(200);
    for (const path of ['/page', '/gen/page.js', '/../package.json', '/%2e%2e/package.json']) {
      expect((await http('GET', path)).code).toBe(404);
    }
  });

  test('is for the hosts of this server alone', async () => {
    expect((await http('GET', '/', undefined, { host: 'evil.example' })).code).toBe(421);
  });
});
