import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import {
  InstancePolicy,
  InterruptPolicy,
  PullPolicy,
  RuntimeKind,
  TimerPolicy,
} from '../../src/server/gen/spearlet/task_pb.js';
import { startScriptedServer } from './scripted-server.ts';
import { run } from './spear.ts';

async function shown(task: NonNullable<Parameters<typeof startScriptedServer>[0]['task']>) {
  const { code, stdout, stderr } = await run(['task', 'show', 'x'], await startScriptedServer({ task }));
  expect(code, stderr).toBe(0);
  return stdout.toString().replace(/ {2,}/g, '  ');
}

test('a docker task shows its image, its container, its limits and what is kept warm', async () => {
  const text = await shown({
    taskId: 'task_1',
    revision: 2,
    definition: {
      name: 'web',
      runtime: RuntimeKind.DOCKER,
      artifact: { source: { case: 'image', value: 'web:1' }, sha256: 'ab' },
      args: ['--port', '80'],
      workingDirectory: '/srv',
      limits: {
        memory: 1_048_576n,
        cpu: 0.5,
        cpuTime: durationFromMs(90_000),
        processes: 128,
        openFiles: 64,
        fileSize: 1024n,
      },
      container: { command: ['serve'], pull: PullPolicy.ALWAYS, tmpfsSize: 16_777_216n },
      instancePolicy: InstancePolicy.FRESH,
      warm: { min: 1, max: 4, maxUses: 1, startAhead: true, idleTimeout: durationFromMs(60_000) },
    },
    loosened: ['network: front', 'capability: NET_BIND_SERVICE'],
  });
  expect(text.split('\n').slice(0, 21)).toEqual([
    'name  web',
    'id  task_1',
    'revision  2',
    'runtime  docker',
    'artifact  web:1, image id sha256:ab',
    'command  "serve"',
    'pull  always',
    '/tmp  16 MiB',
    'args  "--port" "80"',
    'folder  /srv',
    'memory  1 MiB at most',
    'cpu  0.5 cores at most',
    'cpu time  1 min 30 s at most',
    'processes  128 at most',
    'open files  64 at most',
    'file size  1 KiB at most',
    'instances  fresh',
    'warm  1 to 4 ready, started ahead, idle for 1 min 0 s at most, 1 use each',
    'allows  network: front',
    'allows  capability: NET_BIND_SERVICE',
    '',
  ]);
});

test('a wasm task that came from a URL shows it, and says nothing of what it does not have', async () => {
  const text = await shown({
    definition: {
      name: 'calc',
      runtime: RuntimeKind.WASM,
      artifact: { source: { case: 'url', value: 'https://example.org/x' }, sha256: 'ab', sizeBytes: 2048n },
      instancePolicy: InstancePolicy.FRESH,
      warm: { min: 0, max: 1000, idleTimeout: durationFromMs(60_000) },
    },
  });
  expect(text).toContain('artifact  https://example.org/x, sha256:ab, 2 KiB\n');
  expect(text).toContain('allows  nothing beyond the safest settings of its runtime\n');
  expect(text).not.toMatch(/^(warm|command|memory) /m);
});

test('instances that are used again show how many stay', async () => {
  const text = await shown({
    definition: {
      name: 'calc',
      runtime: RuntimeKind.WASM,
      instancePolicy: InstancePolicy.REUSED,
      warm: { min: 0, max: 8, maxUses: 10 },
    },
  });
  expect(text).toContain('warm  0 to 8 ready, 10 uses each\n');
});

test('what happens where an attempt is lost is shown', async () => {
  const text = await shown({
    definition: {
      name: 'web',
      runtime: RuntimeKind.DOCKER,
      onInterrupt: InterruptPolicy.REATTACH_OR_FAIL,
      maxRecoveries: 0,
      timers: {
        start: TimerPolicy.REMAINING,
        queue: TimerPolicy.ANEW,
        attempt: TimerPolicy.ANEW,
        total: TimerPolicy.ABSOLUTE,
      },
    },
  });
  expect(text).toContain('on interrupt  reattach-or-fail\n');
  expect(text).toContain('recoveries  0 at most\n');
  expect(text).toContain('timers  start remaining, queue anew, attempt anew, total absolute\n');
});

test('what the digest of a process task pins is said, and what it does not', async () => {
  const definition = {
    name: 'script',
    runtime: RuntimeKind.PROCESS,
    artifact: { source: { case: 'path' as const, value: '/usr/bin/python3' }, sha256: 'ab' },
    args: ['x.py'],
  };
  expect(await shown({ taskId: 'task_1', revision: 1, definition })).toMatch(
    /^pinned {2}this file alone: if it changes, register it again; what it reads or loads, .* may change$/m,
  );
  const wasm = { name: 'pure', runtime: RuntimeKind.WASM, artifact: { sha256: 'ab' } };
  expect(await shown({ taskId: 'task_1', revision: 1, definition: wasm })).not.toMatch(/^pinned/m);
});
