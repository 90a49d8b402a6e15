import { afterAll, expect, it } from 'vitest';
import type { HostLauncher } from '../../../../src/runtimes/wasm/hosts/host-process.ts';
import { PlainHostLauncher } from '../../../../src/runtimes/wasm/hosts/plain-host.ts';
import { run } from '../../attempt.ts';
import { WasmBench } from '../fixture.ts';

const bench = new WasmBench();
afterAll(() => bench.close());

/** A host that speaks as ours do, runs nothing, and cannot close what its guests opened. */
const failingHost = `
  import { readSync, writeSync } from 'node:fs';
  const socket = Number(process.argv[1]);
  const read = (length) => {
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length; ) at += readSync(socket, bytes, at, length - at, null) || process.exit();
    return bytes;
  };
  const send = (kind, ticket, text) => {
    const head = Buffer.alloc(12);
    for (const [index, value] of [Buffer.byteLength(text), kind, ticket].entries()) head.writeUInt32LE(value, 4 * index);
    writeSync(socket, Buffer.concat([head, Buffer.from(text)]));
  };
  send(5, 0, '');
  for (;;) {
    const head = read(8);
    const message = JSON.parse(read(head.readUInt32LE(0)));
    read(head.readUInt32LE(4));
    if (message.kind !== 'job') continue;
    const { ticket, program } = message.job;
    send(4, 0, JSON.stringify({ program, state: 'worn' }));
    send(2, ticket, JSON.stringify({ kind: 'completed', instanceId: String(process.pid), resourceUse: {} }));
  }`;

it('a host that cannot close what a guest opened runs nothing more', async () => {
  const plain = new PlainHostLauncher();
  const launcher: HostLauncher = {
    // Artifacts are checked in a host that has no network.
    launch: (program) => plain.launch(program.profile.network ? { ...program, text: failingHost } : program),
    close: () => plain.close(),
  };
  const runtime = await bench.runtime(1, 1, { launcher });
  const task = await bench.example('misbehaving/fetch', { allowNetwork: true });
  const get = { functionName: 'get', parameters: { authority: 'a', path: '/' } };
  const hosts = new Set<string>();
  for (let call = 0; call < 3; call += 1) hosts.add((await run(runtime, task, get)).outcome.instanceId);
  expect(hosts.size).toBe(3);
});
