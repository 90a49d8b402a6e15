/** What a node tells the service manager that started it, over a socket as systemd's. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { serviceManager } from '../../src/config.ts';
import { start } from '../cli/spear.ts';

interface Message {
  readonly text: string;
  readonly pid: number | null;
}

let folder: string;
let receiver: ChildProcessByStdio<null, Readable, null>;
let messages: AsyncIterator<string>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spear-notify-'));
  const program = fileURLToPath(new URL('../support/notify-socket.py', import.meta.url));
  receiver = spawn('/usr/bin/python3', [program, socket()], { stdio: ['ignore', 'pipe', 'inherit'] });
  messages = createInterface({ input: receiver.stdout })[Symbol.asyncIterator]();
  expect(await messages.next()).toMatchObject({ value: '{"bound": true}' });
});
afterEach(async () => {
  receiver.kill();
  await once(receiver, 'exit');
  await rm(folder, { recursive: true });
});

function socket(): string {
  return join(folder, 'notify');
}

/** The next one that begins so; those before it are of other matters. */
async function message(beginning: string): Promise<Message> {
  for (;;) {
    const { value, done } = await messages.next();
    if (done === true) throw new Error(`no message ${beginning} came`);
    const heard = JSON.parse(value) as Message;
    if (heard.text.startsWith(beginning)) return heard;
  }
}

function serve(env: Readonly<Record<string, string>>) {
  const places = ['--grpc-address', '127.0.0.1:0', '--http-address', '127.0.0.1:0'];
  return start(['serve', ...places, '--data-dir', join(folder, 'data')], { env });
}

test('a node says when it is ready, that it lives, and that it stops', async () => {
  const node = serve({ NOTIFY_SOCKET: socket(), WATCHDOG_USEC: '400000' });
  const ready = await message('READY=1');
  expect(ready.text).toMatch(/^READY=1\nSTATUS=gRPC at 127\.0\.0\.1:\d+, HTTP at 127\.0\.0\.1:\d+$/);
  // In the name of the node, so that NotifyAccess=main is enough, where it may take another's name.
  if (process.getuid?.() === 0) expect(ready.pid).toBe(node.process.pid);
  await message('WATCHDOG=1');
  await message('WATCHDOG=1');
  node.process.kill('SIGTERM');
  await message('STOPPING=1');
  expect(await node.ended).toMatchObject({ code: 0 });
});

test('a node whose notices reach nobody serves all the same, and says so in its log', async () => {
  const node = serve({ NOTIFY_SOCKET: join(folder, 'nobody') });
  await node.says('systemd was not told how far the node is');
  node.process.kill('SIGTERM');
  const { code, stdout } = await node.ended;
  expect(code).toBe(0);
  expect(stdout.toString()).toContain('"msg":"ready"');
});

test('signs of life are sent only where they are asked for, and of this process', () => {
  const pid = String(process.pid);
  const asked = { NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '60000000' };
  expect(serviceManager({})).toBeUndefined();
  expect(serviceManager({ WATCHDOG_USEC: '1000' })).toBeUndefined();
  expect(serviceManager({ NOTIFY_SOCKET: '@name' })).toEqual({ socket: '@name', watchdogMs: 0 });
  expect(serviceManager({ ...asked, WATCHDOG_PID: pid })).toEqual({
    socket: '/run/notify',
    watchdogMs: 60_000,
  });
  expect(serviceManager({ ...asked, WATCHDOG_PID: '1' })?.watchdogMs).toBe(0);
  expect(serviceManager({ ...asked, WATCHDOG_USEC: 'soon' })?.watchdogMs).toBe(0);
});
