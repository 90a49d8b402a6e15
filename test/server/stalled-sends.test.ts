/** Callers who do not take what they asked for. */
import { EventEmitter, once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ExecutionMode,
  ExecutionStatus,
  type StreamExecutionResult,
} from '../../src/server/gen/spearlet/function_pb.js';
import { StalledSends } from '../../src/server/stalled-sends.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { adminToken } from '../support/server.ts';
import { another } from './snapshots.ts';

/** As much of a response as is looked at. */
class Sending extends EventEmitter {
  writableLength = 0;
}

const idleMs = 1000;

function watched() {
  const clock = new FakeClock();
  const sends = new StalledSends(clock, idleMs);
  const sending = new Sending();
  let ended = 0;
  sends.add(sending, () => {
    ended += 1;
  });
  return { clock, sends, sending, ended: () => ended };
}

describe('what is sent', () => {
  it('ends where its reader takes nothing, once', async () => {
    const { clock, sending, ended } = watched();
    sending.writableLength = 10;
    await clock.advance(idleMs);
    expect(ended()).toBe(0);
    await clock.advance(idleMs);
    expect(ended()).toBe(1);
    await clock.advance(10 * idleMs);
    expect(ended()).toBe(1);
  });

  it('goes on where its reader takes a little now and then, also when more comes', async () => {
    const { clock, sending, ended } = watched();
    for (let turn = 0; turn < 50; turn += 1) {
      sending.writableLength = 100_000 - turn;
      await clock.advance(0.9 * idleMs);
      sending.writableLength = 200_000 + turn;
      await clock.advance(0.9 * idleMs);
    }
    expect(ended()).toBe(0);
  });

  it('goes on where nothing waits, however long that is', async () => {
    const { clock, sending, ended } = watched();
    await clock.advance(1000 * idleMs);
    sending.writableLength = 10;
    await clock.advance(idleMs / 2);
    sending.writableLength = 0;
    await clock.advance(1000 * idleMs);
    expect(ended()).toBe(0);
  });

  it('has longer where much is written at once, of which nobody can see that a part is taken', async () => {
    const { clock, sending, ended } = watched();
    sending.writableLength = 16 * 5000;
    await clock.advance(5000);
    expect(ended()).toBe(0);
    await clock.advance(2 * idleMs);
    expect(ended()).toBe(1);
  });

  it('ends, the one first that has waited longest, where more waits in all than is allowed', async () => {
    const clock = new FakeClock();
    const sends = new StalledSends(clock, 60_000, 1000);
    const ended: string[] = [];
    const send = (name: string, bytes: number) => {
      const sending = new Sending();
      sending.writableLength = bytes;
      sends.add(sending, () => ended.push(name));
      return sending;
    };
    const slow = send('slow', 400);
    send('old', 500);
    await clock.advance(1000);
    slow.writableLength = 300;
    send('new', 100);
    await clock.advance(5000);
    expect(ended).toEqual([]);
    send('large', 900);
    await clock.advance(1000);
    expect(ended).toEqual(['old', 'slow']);
    await clock.advance(10_000);
    expect(ended).toEqual(['old', 'slow']);
    sends.close();
  });

  it('is not looked at any more once it is closed, and nothing once the node is', async () => {
    const { clock, sends, sending, ended } = watched();
    sending.writableLength = 10;
    sending.emit('close');
    await clock.advance(10 * idleMs);
    const other = new Sending();
    other.writableLength = 10;
    sends.add(other, () => expect.unreachable());
    sends.close();
    await clock.advance(10 * idleMs);
    expect(ended()).toBe(0);
  });
});

/** Asks, and reads nothing of the answers. */
function deaf(address: string, text: string): Socket {
  const [host, port] = address.split(':');
  const socket = connect({ host, port: Number(port) });
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  socket.pause();
  socket.write(text);
  return socket;
}

const flags = { sendIdleMs: '200', maxConnectionsPerAddress: '1' };

describe('a caller', () => {
  it('over HTTP that reads nothing of its answers loses its connection, and others have room again', async () => {
    const server = await another(flags);
    const page = `GET /page.css HTTP/1.1\r\nhost: ${server.httpAddress}\r\n\r\n`;
    // More than the system keeps for a reader.
    deaf(server.httpAddress, page.repeat(500));
    const code = async () => (await fetch(`http://${server.httpAddress}/healthz`)).status;
    await expect.poll(code).toBe(429);
    await expect.poll(code).toBe(200);
  });

  it('over gRPC that gives a call no window loses the call, and not the connection', async () => {
    const server = await another({ sendIdleMs: '200' });
    const session = connectHttp2(`http://${server.grpcAddress}`, { settings: { initialWindowSize: 0 } });
    onTestFinished(() => session.destroy());
    const begin = () => {
      const call = session.request({
        ...{ ':method': 'POST', ':path': '/spearlet.NodeService/WatchNode' },
        ...{ 'content-type': 'application/grpc', te: 'trailers' },
        authorization: `Bearer ${adminToken(server.dataDir)}`,
      });
      call.on('error', () => {});
      call.end(Buffer.from([0, 0, 0, 0, 0]));
      return call;
    };
    const stalled = begin();
    await once(stalled, 'close');
    expect(stalled.rstCode).toBe(8);
    // The next one over the same connection is answered, and begins.
    const [headers] = (await once(begin(), 'response')) as [Record<string, unknown>];
    expect(headers[':status']).toBe(200);
  });

  it('over gRPC for whom nothing waits keeps its watch', async () => {
    const server = await another({ sendIdleMs: '200', anonymousRole: 'operate' });
    await server.register('cat', 'misbehaving/cat.wasm');
    const { executionId } = await server.functions.invokeFunction({
      task: 'cat',
      startAfter: { seconds: 3600n },
      executionMode: ExecutionMode.ASYNC,
    });
    const watch = server.functions.watchExecution({ executionId })[Symbol.asyncIterator]();
    await watch.next();
    // Others are hung up on meanwhile.
    const session = connectHttp2(`http://${server.grpcAddress}`, { settings: { initialWindowSize: 0 } });
    onTestFinished(() => session.destroy());
    const call = session.request({
      ...{ ':method': 'POST', ':path': '/spearlet.NodeService/GetNode' },
      ...{ 'content-type': 'application/grpc', te: 'trailers' },
    });
    call.on('error', () => {});
    call.end(Buffer.from([0, 0, 0, 0, 0]));
    await once(call, 'close');
    await server.functions.cancelExecution({ executionId });
    let last: StreamExecutionResult | undefined;
    for (let next = await watch.next(); next.done !== true; next = await watch.next()) last = next.value;
    expect(last).toMatchObject({ isFinal: true, status: ExecutionStatus.CANCELLED });
  });
});
