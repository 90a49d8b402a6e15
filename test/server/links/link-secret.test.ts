/** Who may speak over links, and how much. */
import { X509Certificate } from 'node:crypto';
import { connect as connectTls } from 'node:tls';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { LinkedExecutions } from '../../../src/domain/links.ts';
import type { LogCursor } from '../../../src/domain/log.ts';
import { LinkClient, mostLinkBytes } from '../../../src/server/links/link-client.ts';
import { type LinkIdentity, linkIdentity } from '../../../src/server/links/link-identity.ts';
import { selfSigned } from '../../../src/server/tls/self-signed.ts';
import { recordOf } from '../../stores/samples.ts';
import { identity, serverWith } from './link-bench.ts';

const others = linkIdentity(Buffer.from('what the nodes of another cluster share'));
const record = recordOf('exec_1', 'running', { lastSequence: 3 });

/** Answers everything, and counts what it was asked. */
function answering() {
  const asked: string[] = [];
  const served: LinkedExecutions = {
    attach: () => Promise.reject(new Error('not here')),
    async deliver(executionId) {
      asked.push(executionId);
      return { changed: true, record };
    },
    explain: () => Promise.reject(new Error('not here')),
    queue() {
      throw new Error('not here');
    },
  };
  return { asked, served };
}

function clientWith(own: LinkIdentity): LinkClient {
  const client = new LinkClient({
    identity: own,
    name: 'other',
    clock: { now: Date.now },
    whereabouts: async () => ({ at: 'nobody' }),
  });
  onTestFinished(() => client.close());
  return client;
}

async function listening(own = identity) {
  const { server, port } = await serverWith(own);
  const { asked, served } = answering();
  server.serve(served, { obey: () => Promise.resolve(true) });
  return {
    asked,
    server,
    port,
    peer: { incarnation: 1, nodeId: 'node_1', name: 'one', address: `127.0.0.1:${port}` },
  };
}

test('every node makes the same certificate of the same secret, and another of another', () => {
  expect(linkIdentity(Buffer.from('a secret that the nodes of a test share'))).toEqual(identity);
  expect(others.raw).not.toEqual(identity.raw);
  expect(new X509Certificate(identity.raw).verify(new X509Certificate(identity.raw).publicKey)).toBe(true);
});

test('who has the secret is answered', async () => {
  const { asked, peer } = await listening();
  await clientWith(identity).deliver(peer, 'exec_1', { kind: 'resume' });
  expect(asked).toEqual(['exec_1']);
});

test('who has another secret is refused, and so is a node that has another', async () => {
  const here = await listening();
  const cancel = { kind: 'cancel', reason: '' } as const;
  await expect(clientWith(others).deliver(here.peer, 'exec_1', cancel)).rejects.toThrow();
  expect(here.asked).toEqual([]);
  const there = await listening(others);
  await expect(clientWith(identity).deliver(there.peer, 'exec_1', cancel)).rejects.toThrow();
  expect(there.asked).toEqual([]);
});

/** Whether anything comes back over a connection that says what HTTP/2 begins with. */
async function isServed(port: number, options: object): Promise<boolean> {
  const socket = connectTls({
    host: '127.0.0.1',
    port,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
    ...options,
  });
  onTestFinished(() => void socket.destroy());
  return new Promise((resolve) => {
    socket.once('secureConnect', () => socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'));
    socket.once('data', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}

test('a connection without a certificate, or with one of anybody else, hears nothing', async () => {
  const { port } = await listening();
  const { cert, key } = identity;
  expect(await isServed(port, { cert, key })).toBe(true);
  expect(await isServed(port, {})).toBe(false);
  expect(await isServed(port, { cert: others.cert, key: others.key })).toBe(false);
  const own = selfSigned(['localhost'], Date.now());
  expect(await isServed(port, own)).toBe(false);
  expect(await isServed(port, { cert, key, maxVersion: 'TLSv1.2' })).toBe(false);
});

test('a connection in the clear hears nothing', async () => {
  const { port } = await listening();
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  const code = await new Promise((resolve) =>
    client.makeUnaryRequest(
      '/spearlet.link.NodeLink/Deliver',
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
      Buffer.alloc(0),
      new Metadata(),
      { deadline: Date.now() + 60_000 },
      (error) => resolve(error?.code),
    ),
  );
  expect(code).toBe(status.UNAVAILABLE);
});

test('a message that is larger than any that a node sends is not taken', async () => {
  const { asked, peer } = await listening();
  const reason = 'x'.repeat(mostLinkBytes);
  const call = clientWith(identity).deliver(peer, 'exec_1', { kind: 'cancel', reason });
  await expect(call).rejects.toThrow();
  expect(asked).toEqual([]);
});

test('a node that does not read is not sent more than a few pages', async () => {
  const { server, port } = await serverWith(identity);
  const chunk = new Uint8Array(64 * 1024).fill(120);
  let given = 0;
  const cursor: LogCursor = {
    ...{ executionId: 'exec_1', record: { ...record, lastSequence: 10_000 } },
    ...{ closed: false, left: false, wake() {}, close() {} },
    admitted: () => Promise.resolve(record),
    beyond: () => new Promise(() => {}),
    async read(from) {
      given += 1;
      const event = { kind: 'chunk', stream: 'stdout', data: chunk, position: from, sequence: from } as const;
      return from > 10_000 ? [] : [{ ...event, time: 1, status: 'running', attempt: 1 }];
    },
  };
  server.serve(
    { ...answering().served, attach: () => Promise.resolve(cursor) },
    { obey: () => Promise.resolve(true) },
  );
  const leave = new AbortController();
  const wish = { executionId: 'exec_1', from: 1, observes: true };
  const peer = { incarnation: 1, nodeId: 'node_1', name: 'one', address: `127.0.0.1:${port}` };
  const parts = clientWith(identity).follow(peer, wish, leave.signal)[Symbol.asyncIterator]();
  let read = 0;
  // At each moment what was given and not read is a few messages of both ends and the windows between them.
  while (read < 1000) {
    const { value } = await parts.next();
    read += value.events.length;
    expect(given - read).toBeLessThan(100);
  }
  await vi.waitFor(() => expect(given).toBeGreaterThan(read));
  leave.abort();
});
