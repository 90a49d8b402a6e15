import { describe, expect, it } from 'vitest';
import { signalOf } from '../../../src/runtimes/docker/ending/linux-signals.ts';
import { parseAddress } from '../../../src/runtimes/docker/engine/address.ts';
import { followFrames } from '../../../src/runtimes/docker/engine/frames.ts';

function frame(type: number, data: string): Buffer {
  const header = Buffer.from([type, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(Buffer.byteLength(data), 4);
  return Buffer.concat([header, Buffer.from(data)]);
}

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe('the frames of a container’s output', () => {
  const bytes = Buffer.concat([frame(1, 'out'), frame(2, ''), frame(2, 'error'), frame(1, 'more')]);

  it('are taken apart in order, wherever they are cut', async () => {
    for (let size = 1; size <= bytes.length; size += 1) {
      const got: string[] = [];
      await followFrames(pieces(bytes, size), (stream, data) => {
        got.push(...[...Buffer.from(data).toString()].map((letter) => `${stream} ${letter}`));
        return undefined;
      });
      const expected = [
        ...[...'out'].map((letter) => `stdout ${letter}`),
        ...[...'error'].map((letter) => `stderr ${letter}`),
      ];
      expect(got).toEqual([...expected, ...[...'more'].map((letter) => `stdout ${letter}`)]);
    }
  });

  it('are not read on while what was read is not taken', async () => {
    let read = 0;
    async function* source() {
      for (;;) {
        read += 1;
        yield frame(1, 'x');
        if (read === 10) return;
      }
    }
    let taking = Promise.withResolvers<void>();
    const following = followFrames(source(), () => {
      taking = Promise.withResolvers();
      return taking.promise;
    });
    for (let taken = 1; taken <= 10; taken += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      expect(read).toBe(taken);
      taking.resolve();
    }
    await following;
  });

  it('of a kind that no container writes end it', async () => {
    await expect(followFrames(pieces(frame(9, 'x'), 100), () => undefined)).rejects.toThrow('type 9');
  });
});

describe('the address of an engine', () => {
  it.each([
    ['/var/run/docker.sock', { socketPath: '/var/run/docker.sock' }],
    ['unix:///run/d.sock', { socketPath: '/run/d.sock' }],
    ['tcp://127.0.0.1:2000', { host: '127.0.0.1', port: 2000 }],
    ['tcp://engine', { host: 'engine', port: 2375 }],
  ])('%s is understood', (host, address) => {
    expect(parseAddress(host)).toEqual(address);
  });

  it.each(['', 'docker.sock', 'unix://', 'http://host', 'tcp://'])('%j is refused', (host) => {
    expect(() => parseAddress(host)).toThrow('is no engine address');
  });
});

it('an exit code of a signal has its name', () => {
  expect([129, 137, 143, 152, 159, 162].map(signalOf)).toEqual([
    'SIGHUP',
    'SIGKILL',
    'SIGTERM',
    'SIGXCPU',
    'SIGSYS',
    'SIGRTMIN+0',
  ]);
  expect([1, 128, 160, 193, 255].map(signalOf)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
