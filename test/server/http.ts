import { request } from 'node:http';
import { expect } from 'vitest';
import { server, withServer } from './local.ts';

interface Answer {
  readonly code: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export function withHttp(): void {
  withServer({ maxRequestBytes: '100000' }, async () => {
    await server.register('count', 'wordcount/wordcount.wasm');
    await server.register('loop', 'misbehaving/loop.wasm');
  });
}

/** `fetch` does not let its caller choose the Host. */
export function http(
  method: string,
  path: string,
  body?: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const [host, port] = server.httpAddress.split(':');
    const call = request({ host, port, method, path, headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () =>
        resolve({
          code: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(parts).toString(),
        }),
      );
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end(body);
  });
}

export const json = { 'content-type': 'application/json' };

export function api(method: string, message: unknown): Promise<Answer> {
  return http('POST', `/api/${method}`, JSON.stringify(message), json);
}

export function errorOf(answer: Answer) {
  expect(answer.headers['content-type']).toMatch(/^application\/json/);
  return (JSON.parse(answer.text) as { error: Record<string, unknown> }).error;
}

export const timeText = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
