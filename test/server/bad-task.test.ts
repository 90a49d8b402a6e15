import { describe, expect, test } from 'vitest';
import { RuntimeKind } from '../../src/server/gen/spearlet/task_pb.js';
import { example } from '../support/server.ts';
import { type Definition, expectField, expectRefusal, refusedTask, withSturdyServer } from './bad-input.ts';
import { server } from './local.ts';
import { refusal } from './refusal.ts';

withSturdyServer();

describe('an artifact', () => {
  const field = 'definition.artifact.content';

  test('that is not wasm is refused', async () => {
    expectField(await refusedTask({}, Buffer.from('#!/bin/sh\necho hello\n')), field, /wasm|WebAssembly/i);
    expectField(await refusedTask({}, Buffer.from('\0asm')), field, /./);
  });

  test('that is empty is refused', async () => {
    expectField(await refusedTask({}, new Uint8Array()), field, /./);
  });

  test.each(['typed/typed.wasm', 'misbehaving/cat.wasm'])('that is %s cut short is refused', async (path) => {
    const whole = await example(path);
    for (const length of [8, Math.floor(whole.byteLength / 2), whole.byteLength - 1]) {
      expectField(await refusedTask({}, whole.subarray(0, length)), field, /./);
    }
  });

  test('that is missing is refused', async () => {
    for (const artifact of [undefined, {}, { sha256: 'a'.repeat(64) }]) {
      const refused = await refusal(
        server.tasks.registerTask({
          definition: { name: 'bad', runtime: RuntimeKind.WASM, ...(artifact && { artifact }) },
        }),
      );
      expectField(refused, 'definition.artifact', 'content');
    }
  });

  test('that imports what is not offered is refused, naming the import', async () => {
    expectField(await refusedTask({}, importing('env', 'launch_missiles')), field, /launch_missiles/);
    expectField(await refusedTask({}, importing('env', 'launch_missiles')), field, /wasi_snapshot_preview1/);
  });

  test('that has nothing to call is refused', async () => {
    const empty = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    expectField(await refusedTask({}, empty), field, /nothing to call/);
  });

  test('that is not what its digest says is refused, and so is a digest that is none', async () => {
    const value = await example('misbehaving/cat.wasm');
    const source = { case: 'content' as const, value };
    expectField(
      await refusedTask({ artifact: { source, sha256: 'a'.repeat(64) } }),
      'definition.artifact.sha256',
      /[0-9a-f]{64}/,
    );
    for (const sha256 of ['abc', 'A'.repeat(64), 'g'.repeat(64)]) {
      expectField(await refusedTask({ artifact: { source, sha256 } }), 'definition.artifact.sha256', /64/);
    }
  });

  test('of another runtime is refused', async () => {
    for (const source of [
      { case: 'path' as const, value: '/bin/true' },
      { case: 'image' as const, value: 'busybox' },
    ]) {
      expectField(await refusedTask({ artifact: { source } }), 'definition.artifact', 'content');
    }
  });

  test('that needs more memory than its limit is refused', async () => {
    expectField(await refusedTask({ limits: { memory: 65_536n } }), 'definition.limits.memory', /65536/);
  });

  test('that was refused leaves no task behind', async () => {
    expectRefusal(await refusal(server.tasks.getTask({ task: 'bad' })), 'NOT_FOUND');
  });
});

describe('a definition', () => {
  test.each(['', 'A', '-a', '.a', 'a b', 'a/b', 'ä', 'a\n', 'a\0', 'task_x', 'exec_x', 'x'.repeat(64)])(
    'named %j is refused',
    async (name) => {
      expectField(await refusedTask({ name }), 'definition.name', /\[a-z0-9\]|task_/);
    },
  );

  test.each<[string, Definition, string, RegExp]>([
    ['no runtime', { runtime: RuntimeKind.UNSPECIFIED }, 'definition.runtime', /WASM/],
    ['an unknown runtime', { runtime: 77 as number as RuntimeKind }, 'definition.runtime', /77/],
    ['an unknown policy', { instancePolicy: 9 as number as never }, 'definition.instance_policy', /REUSED/],
    ['reuse of a command', { instancePolicy: 2 }, 'definition.instance_policy', /typed/],
    ['a description too long', { description: 'x'.repeat(1025) }, 'definition.description', /1024/],
    ['a description with NUL', { description: '\0' }, 'definition.description', /NUL/],
    ['too little memory', { limits: { memory: 0n } }, 'definition.limits.memory', /65536/],
    ['too much memory', { limits: { memory: 2n ** 40n } }, 'definition.limits.memory', /4294967296/],
    [
      'too much output',
      { limits: { maxOutputBytes: 2n ** 63n } },
      'definition.limits.max_output_bytes',
      /allowed/,
    ],
    [
      'no output events',
      { limits: { maxOutputEvents: 0n } },
      'definition.limits.max_output_events',
      /allowed/,
    ],
    ['no processor', { limits: { cpu: 0 } }, 'definition.limits.cpu', /0.01/],
    ['a share that is no number', { limits: { cpu: Number.NaN } }, 'definition.limits.cpu', /0.01/],
    ['half of a thread', { limits: { cpu: 0.5 } }, 'definition.limits.cpu', /1/],
    ['CPU time below a second', { limits: { cpuTime: { nanos: 5 } } }, 'definition.limits.cpu_time', /1 s/],
    ['no processes', { limits: { processes: 0 } }, 'definition.limits.processes', /1/],
    ['few open files', { limits: { openFiles: 2 } }, 'definition.limits.open_files', /16/],
    ['a user for wasm', { user: 'root' }, 'definition.user', /wasm/],
    ['a user that is none', { user: 'a b' }, 'definition.user', /USER:GROUP/],
    ['a relative folder', { workingDirectory: 'tmp' }, 'definition.working_directory', /absolute/],
    ['a container for wasm', { container: {} }, 'definition.container', /docker/],
    [
      'a start ahead for wasm',
      { warm: { startAhead: true } },
      'definition.warm.start_ahead',
      /docker|process/,
    ],
    ['more kept than the most', { warm: { min: 3, max: 2 } }, 'definition.warm.max', /3/],
    ['no use at all', { warm: { maxUses: 0 } }, 'definition.warm.max_uses', /1/],
    ['no idle time', { warm: { idleTimeout: {} } }, 'definition.warm.idle_timeout', /more than 0/],
    ['no attempts', { retry: { maxAttempts: 0 } }, 'definition.retry.max_attempts', /1000/],
    ['too many attempts', { retry: { maxAttempts: 1001 } }, 'definition.retry.max_attempts', /1000/],
    ['a factor below 1', { retry: { factor: 0.5 } }, 'definition.retry.factor', /100/],
    ['a factor that is no number', { retry: { factor: Number.NaN } }, 'definition.retry.factor', /100/],
    ['jitter above 1', { retry: { jitter: 1.5 } }, 'definition.retry.jitter', /0 to 1/],
    ['an unknown code', { retry: { on: [1, 999 as number as never] } }, 'definition.retry.on[1]', /999/],
    ['no code', { retry: { on: [0] } }, 'definition.retry.on[0]', /code/],
    ['an unknown interrupt policy', { onInterrupt: 9 as never }, 'definition.on_interrupt', /9.*RERUN, FAIL/],
    [
      'a container to go on with for wasm',
      { onInterrupt: 3 },
      'definition.on_interrupt',
      /wasm are RERUN, FAIL$/,
    ],
    ['too many recoveries', { maxRecoveries: 1001 }, 'definition.max_recoveries', /0 to 1000/],
    [
      'an unknown timer policy',
      { timers: { queue: 7 as never } },
      'definition.timers.queue',
      /ABSOLUTE, REMAINING/,
    ],
    ['a relative guest path', { preopens: { data: '/tmp' } }, 'definition.preopens."data"', /absolute/],
    ['a relative host path', { preopens: { '/data': 'tmp' } }, 'definition.preopens."/data"', /absolute/],
    ['an argument with NUL', { args: ['\0'] }, 'definition.args[0]', /NUL/],
    ['too many arguments', { args: Array(1025).fill('') }, 'definition.args', /1024/],
    ['a variable with NUL', { environment: { A: '\0' } }, 'definition.environment.A', /NUL/],
  ])('with %s is refused', async (_name, definition, field, says) => {
    expectField(await refusedTask(definition), field, says);
  });

  test('is required', async () => {
    expectField(await refusal(server.tasks.registerTask({})), 'definition', /required/);
  });

  test('for docker is UNAVAILABLE where no engine answers, and says what to do', async () => {
    const source = { case: 'image' as const, value: 'busybox' };
    const refused = await refusal(
      server.tasks.registerTask({
        definition: { name: 'bad', runtime: RuntimeKind.DOCKER, artifact: { source } },
      }),
    );
    expectRefusal(refused, 'UNAVAILABLE');
    expect(refused.reason).toBe('RUNTIME_UNAVAILABLE');
    expect(refused.message).toMatch(/start Docker.*--docker-host/);
  });

  test.runIf(process.getuid?.() === 0)(
    'of a process is FAILED_PRECONDITION on a node that runs as root',
    async () => {
      const source = { case: 'path' as const, value: '/bin/true' };
      const refused = await refusal(
        server.tasks.registerTask({
          definition: { name: 'bad', runtime: RuntimeKind.PROCESS, artifact: { source } },
        }),
      );
      expectRefusal(refused, 'FAILED_PRECONDITION');
      expect(refused.reason).toBe('HOST_ACCESS_NOT_ALLOWED');
      expect(refused.message).toContain('--allow-host-access');
    },
  );

  test.runIf(process.getuid?.() === 0)(
    'with folders of the host is FAILED_PRECONDITION on a node that runs as root',
    async () => {
      const refused = await refusedTask({ preopens: { '/data': '/tmp' } });
      expectRefusal(refused, 'FAILED_PRECONDITION');
      expect(refused.reason).toBe('HOST_ACCESS_NOT_ALLOWED');
      expect(refused.message).toContain('--allow-host-access');
      expect(refused.fields).toHaveProperty(['definition.preopens']);
    },
  );
});

/** A core module that exports `_start` and imports one function of that name. */
function importing(module: string, name: string): Buffer {
  const word = (value: string) => [value.length, ...Buffer.from(value)];
  const section = (id: number, content: readonly number[]) => [id, content.length, ...content];
  return Buffer.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 0, 0]),
    ...section(2, [1, ...word(module), ...word(name), 0, 0]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...word('_start'), 0, 1]),
    ...section(10, [1, 2, 0, 0x0b]),
  ]);
}
