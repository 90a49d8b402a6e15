import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingHttpHeaders, request, type Server } from 'node:http';
import { type AddressInfo, connect, createServer, type Server as NetServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NetworkRefusal } from '../../../src/domain/network/refusal.ts';
import { Forwarder } from '../../../src/runtimes/network/forwarder.ts';
import { NetworkGate } from '../../../src/runtimes/network/gate.ts';
import { NameLookups } from '../../../src/runtimes/network/name-lookups.ts';

let target: Server;
let port: number;
let seen: { url: string; headers: IncomingHttpHeaders; body: string }[];
let open: (() => void)[];
beforeEach(async () => {
  seen = [];
  open = [];
  target = createHttpServer((asked, response) => {
    let body = '';
    asked.on('data', (part) => {
      body += part;
    });
    asked.on('end', () => {
      seen.push({ url: asked.url ?? '', headers: asked.headers, body });
      if (asked.url === '/away') {
        response.statusCode = 302;
        response.setHeader('location', 'http://10.0.0.1/');
      }
      response.setHeader('x-answered', 'yes').end(`to ${asked.url}`);
    });
  });
  port = await listening(target);
});
afterEach(() => {
  target.closeAllConnections();
  target.close();
  for (const close of open) close();
});

async function listening(server: Server | NetServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function proxy(entries: readonly string[], ownPorts: readonly number[] = []) {
  const told: NetworkRefusal[] = [];
  const hosts = () => `127.0.0.1 here.example\n`;
  const lookups = new NameLookups({ hosts, settings: () => '', servers: ['127.0.0.1:1'] });
  const forwarder = new Forwarder(
    new NetworkGate({ entries, ownPorts: () => ownPorts, lookups, tell: (refusal) => told.push(refusal) }),
  );
  const server = createServer((socket) => forwarder.accept(socket));
  const at = await listening(server);
  open.push(() => {
    forwarder.close();
    server.close();
  });
  return { at, told, forwarder };
}

/** What a client that knows its proxy sends for a URL with http. */
function get(at: number, url: string, headers: Record<string, string> = {}, body = '') {
  return new Promise<{ status: number; headers: IncomingHttpHeaders; text: string }>((resolve, reject) => {
    const method = body === '' ? 'GET' : 'POST';
    const call = request(
      { port: at, host: '127.0.0.1', path: url, method, headers, agent: false },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}

/** All that comes back for these bytes. */
async function raw(at: number, text: string): Promise<string> {
  const socket = connect(at, '127.0.0.1');
  let heard = '';
  socket.setEncoding('utf8').on('data', (part: string) => {
    heard += part;
  });
  socket.on('error', () => {});
  socket.write(text);
  await once(socket, 'close');
  return heard;
}

const hello = 'GET /in HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n';

describe('a proxy with a network list', () => {
  it('hands on requests, bodies and answers to what the list has', async () => {
    const { at, told } = await proxy([`127.0.0.1:${port}`]);
    const sent = { 'x-sent': 'yes', 'proxy-authorization': 'Basic x', connection: 'x-hop', 'x-hop': 'no' };
    const { status, headers, text } = await get(at, `http://127.0.0.1:${port}/a?b=c`, sent, 'body');
    expect([status, text, headers['x-answered']]).toEqual([200, 'to /a?b=c', 'yes']);
    expect(seen[0]).toMatchObject({ url: '/a?b=c', body: 'body', headers: { 'x-sent': 'yes' } });
    expect(seen[0]?.headers).not.toHaveProperty('proxy-authorization');
    expect(seen[0]?.headers).not.toHaveProperty('x-hop');
    expect(told).toEqual([]);
  });

  it('tunnels to what the list has', async () => {
    const { at } = await proxy(['127.0.0.0/8']);
    const heard = await raw(at, `CONNECT 127.0.0.1:${port} HTTP/1.1\r\n\r\n${hello}`);
    expect(heard).toMatch(/^HTTP\/1.1 200 .*\r\n\r\nHTTP\/1.1 200 OK/);
    expect(heard).toContain('to /in');
  });

  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.1', 'loopback'],
    ['2130706433', 'loopback'],
    ['0x7f.0.0.1', 'loopback'],
    ['0177.0.0.1', 'loopback'],
    ['[::1]', 'loopback'],
    ['[::ffff:127.0.0.1]', 'loopback'],
    ['[::ffff:7f00:1]', 'loopback'],
    ['[64:ff9b::127.0.0.1]', 'loopback'],
    ['localhost', 'loopback'],
    ['here.example', 'loopback'],
    ['169.254.169.254', 'metadata'],
    ['10.0.0.1', 'private'],
    ['[fd00::1]', 'private'],
  ])('reaches %s in no way where the list has what is public alone: %s', async (host, rule) => {
    const { at, told } = await proxy(['public', 'here.example']);
    expect((await get(at, `http://${host}:${port}/`)).status).toBe(403);
    expect(await raw(at, `CONNECT ${host}:${port} HTTP/1.1\r\nconnection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 403 /,
    );
    expect(seen).toEqual([]);
    expect(told.map((each) => each.rule)).toEqual([rule, rule]);
  });

  it('never reaches a port of the node', async () => {
    const { at, told } = await proxy(['127.0.0.0/8', 'public'], [port]);
    expect((await get(at, `http://127.0.0.1:${port}/`)).status).toBe(403);
    expect(told).toMatchObject([{ host: '127.0.0.1', port, rule: 'node' }]);
  });

  it('leaves a redirect to its client, whose next request it judges anew', async () => {
    const { at, told } = await proxy([`127.0.0.1:${port}`]);
    const { status, headers } = await get(at, `http://127.0.0.1:${port}/away`);
    expect([status, headers.location]).toEqual([302, 'http://10.0.0.1/']);
    expect((await get(at, String(headers.location))).status).toBe(403);
    expect(told).toMatchObject([{ host: '10.0.0.1', port: 80, rule: 'private' }]);
  });

  it('judges the address of the request and not the name in its header', async () => {
    const { at } = await proxy(['api.example']);
    expect((await get(at, `http://127.0.0.1:${port}/`, { host: 'api.example' })).status).toBe(403);
  });

  it.each([
    ['GET /path HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', 400],
    ['GET https://a.example/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', 400],
    ['CONNECT 127.0.0.1 HTTP/1.1\r\n\r\n', 400],
    ['CONNECT user@127.0.0.1:1 HTTP/1.1\r\n\r\n', 400],
    ['CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n', 502],
    ['GET http://127.0.0.1:1/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', 502],
  ])('answers %j with %i', async (text, status) => {
    const { at } = await proxy(['127.0.0.0/8']);
    expect(await raw(at, text)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it('ends what is no HTTP, and goes on', async () => {
    const { at } = await proxy([`127.0.0.1:${port}`]);
    await raw(at, '\x16\x03\x01 hello\r\n\r\n');
    expect((await get(at, `http://127.0.0.1:${port}/`)).status).toBe(200);
  });

  it.each([
    'HTTP/1.1 099 odd\r\ncontent-length: 0\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf',
    'HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n',
    'no HTTP at all',
    '',
  ])('goes on where who is at the other end answers %j', async (text) => {
    const odd = createServer((socket) => {
      socket.on('error', () => {});
      socket.end(text);
    });
    const oddPort = await listening(odd);
    open.push(() => odd.close());
    const { at } = await proxy(['127.0.0.0/8']);
    await raw(at, `GET http://127.0.0.1:${oddPort}/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
    expect((await get(at, `http://127.0.0.1:${port}/`)).status).toBe(200);
  });

  it('ends its tunnels when it is closed, and takes no more', async () => {
    const { at, forwarder } = await proxy(['127.0.0.0/8']);
    const tunnel = raw(at, `CONNECT 127.0.0.1:${port} HTTP/1.1\r\n\r\n`);
    await expect
      .poll(() => new Promise((resolve) => target.getConnections((_e, count) => resolve(count))))
      .toBe(1);
    forwarder.close();
    expect(await tunnel).toMatch(/^HTTP\/1.1 200 /);
    expect(await raw(at, 'CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n')).toBe('');
  });
});
