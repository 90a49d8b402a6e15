/** The page's request for events, at a server that does everything to it that one can. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createRequestEvents } from '../../../src/visualizer/page/feed/event-request.ts';

type Answer = (response: ServerResponse) => void;

const events = { 'content-type': 'text/event-stream; charset=utf-8' };

async function request(answer: Answer) {
  const asked: Readonly<Record<string, unknown>>[] = [];
  let gone = 0;
  const server = createServer((incoming, response) => {
    asked.push(incoming.headers);
    response.on('close', () => {
      gone += 1;
    });
    answer(response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const told: string[] = [];
  const { port } = server.address() as AddressInfo;
  const close = createRequestEvents(fetch)(`http://127.0.0.1:${port}/`, {
    opened: () => told.push('opened'),
    event: (name, data, id) => told.push(`${name} ${id} ${data}`),
    ended: () => told.push('ended'),
  });
  return { told, asked, close, gone: () => gone };
}

describe('a request for events', () => {
  it('tells that it is open before anything comes, then each event as it comes', async () => {
    let stream: ServerResponse | undefined;
    const { told, asked } = await request((response) => {
      stream = response.writeHead(200, events);
      stream.flushHeaders();
    });
    await expect.poll(() => told).toEqual(['opened']);
    expect(asked).toMatchObject([{ accept: 'text/event-stream' }]);
    const bytes = Buffer.from('id: 1\nevent: log\ndata: é\n\n');
    // In the middle of a character.
    stream?.write(bytes.subarray(0, -4));
    stream?.write(bytes.subarray(-4));
    await expect.poll(() => told).toEqual(['opened', 'log 1 é']);
    stream?.end();
    await expect.poll(() => told).toEqual(['opened', 'log 1 é', 'ended']);
  });

  it.each<[string, Answer, string[]]>([
    ['is refused', (response) => response.writeHead(401, events).end('data: a\n\n'), ['ended']],
    [
      'is answered with something else',
      (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('data: a\n\n'),
      ['ended'],
    ],
    ['is answered without a body', (response) => response.writeHead(204).end(), ['ended']],
    ['is hung up on', (response) => response.destroy(), ['ended']],
    [
      'breaks',
      (response) => {
        response.writeHead(200, { ...events, 'content-length': 100 });
        response.write('data: a\n\n', () => response.destroy());
      },
      ['opened', 'message  a', 'ended'],
    ],
  ])('ends once where it %s', async (_what, answer, expected) => {
    const { told } = await request(answer);
    await expect.poll(() => told.at(-1)).toBe('ended');
    expect(told.filter((each) => each === 'ended')).toHaveLength(1);
    // What was on its way when it broke may be lost with it.
    expect(expected).toEqual(expect.arrayContaining(told));
  });

  it('tells nothing after it was closed, and lets go of the connection', async () => {
    let stream: ServerResponse | undefined;
    const { told, close, gone } = await request((response) => {
      stream = response.writeHead(200, events);
      stream.write('data: a\n\n');
    });
    await expect.poll(() => told).toEqual(['opened', 'message  a']);
    stream?.write('data: b\n\n');
    close();
    await expect.poll(gone).toBe(1);
    expect(told).toEqual(['opened', 'message  a']);
  });
});
