import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { attemptOf, Collected } from '../attempt.ts';
import { found, Gate, nextRun, waitForGate } from './left.ts';
import { containersOf, launchOf, newNodeId, taskOf, testImageId } from './tasks.ts';
import { itDocker } from './where.ts';

const node = fileURLToPath(new URL('doomed-node.ts', import.meta.url));
const half = 20_000;

itDocker(
  'a node that is killed leaves a container whose output its next run goes on with, byte for byte',
  async () => {
    const gate = await Gate.make();
    const count = (to: number) => `while [ $n -lt ${to} ]; do n=$((n + 1)); echo $n; done`;
    const script = ['cat', 'n=0', count(half), waitForGate, count(2 * half)].join('\n');
    const task = taskOf(await testImageId(), ['sh', '-c', script], gate);
    const numbers = Array.from({ length: 2 * half }, (_, index) => `${index + 1}\n`);
    const launch = launchOf(task);
    const nodeId = newNodeId();

    const first = spawn(process.execPath, [node, nodeId], { stdio: ['pipe', 'pipe', 'pipe'] });
    first.stdin.end(JSON.stringify(launch));
    const had: Buffer[] = [];
    const wroteSome = new Promise<void>((resolve) => {
      first.stdout.on('data', (data) => {
        had.push(data);
        if (Buffer.concat(had).includes('\n500\n')) resolve();
      });
    });
    const [[words]] = await Promise.all([once(first.stderr, 'data'), wroteSome]);
    expect(String(words)).toBe('delivered\n');
    first.kill('SIGKILL');
    await once(first, 'close');

    const before = Buffer.concat(had);
    const left = { nodeId, launch, io: new Collected() };
    const runtime = await nextRun(left);
    const instance = await found(runtime, left, { position: { stdout: before.length, stderr: 0 } });
    const io = new Collected();
    const running = instance.serve(attemptOf(task), io, new AbortController().signal);
    await gate.open();
    expect(await running).toMatchObject({ kind: 'completed', exitCode: 0 });
    expect(Buffer.concat([before, io.of('stdout')]).toString()).toBe(`go${numbers.join('')}`);
    expect(await containersOf(nodeId)).toEqual([]);
    await runtime.close();
    await gate.remove();
  },
);
