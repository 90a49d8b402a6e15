import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/actors/time/system-clock.ts';
import { OutputPump } from '../../../src/runtimes/process/output-pump.ts';
import { Collected } from '../attempt.ts';

it('ends the output of a program that another goes on writing', async () => {
  const server = createServer((other) => {
    other.on('error', () => {});
    const write = (): void => {
      while (other.writable && other.write('x'.repeat(1000)));
    };
    other.on('drain', write);
    write();
  });
  server.listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.close();
  });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const stream = connect(address.port, '127.0.0.1');
  const pump = new OutputPump(stream, 'stdout', () => {});
  const io = new Collected();
  pump.open(io);
  await io.first;
  await pump.finish(systemClock);
  expect(stream.destroyed).toBe(true);
});

it('hands over all that a program wrote before it ended, however slowly it is taken', async () => {
  const written = 400_000;
  const server = createServer((program) => program.end('x'.repeat(written)));
  server.listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.close();
  });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const pump = new OutputPump(connect(address.port, '127.0.0.1'), 'stdout', () => {});
  const io = new Collected(() => new Promise((resolve) => setTimeout(resolve, 100)));
  pump.open(io);
  await pump.finish(systemClock);
  expect(io.of('stdout').length).toBe(written);
});
