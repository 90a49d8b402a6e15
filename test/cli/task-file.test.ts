import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readTaskFile } from '../../src/cli/task-file.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { InterruptPolicy, PullPolicy, TimerPolicy } from '../../src/server/gen/spearlet/task_pb.js';
import { temporaryFolder } from './spear.ts';

const artifact = fileURLToPath(new URL('../../examples/misbehaving/exit.wasm', import.meta.url));

describe('a task file', () => {
  test.for<[string, string]>([
    ['runtme: wasm', 'runtme: is not known; did you mean runtime?'],
    [
      'runtime: wasm\nartifact: exit.wasm\nlimits: { memroy: 1MiB }',
      'limits.memroy: is not known; did you mean memory?',
    ],
    [
      'runtime: wasm\nartifact: exit.wasm\nlimits: { max_output: 1 }',
      'limits.max_output: is not known; did you mean',
    ],
    ['name: a\n---\nname: b', 'has several documents; allowed is one'],
    ['zzzzzz: 1', 'zzzzzz: is not known; allowed are name, description, runtime'],
    ['runtime: wsm', 'runtime: is "wsm"; allowed is one of wasm, docker, process'],
    ['runtime: wasm', 'artifact: is missing'],
    ['runtime: wasm\nartifact: none.wasm', 'there is no such file'],
    ['timeout: 5', 'timeout: is "5"; allowed is a duration such as'],
    ['limits: { memory: 64QiB }', 'limits.memory: is "64QiB"; allowed is'],
    ['args: one', 'args: is "one"; allowed is a list'],
    ['env: [A]', 'env: is a list; allowed is a mapping'],
    ['allow_network: yes', 'allow_network: is "yes"; allowed is true or false'],
    ['retry: { on: [CRASH] }', 'retry.on[0]: is "CRASH"; allowed is one of FUNCTION_ERROR'],
    [
      'timeout: 5s\nruntime: wasm\nartifact: exit.wasm\ntimeouts: { total: 5s }',
      'timeout: is the same as timeouts.total',
    ],
    ['limits: { cpu: 2 cores }', 'limits.cpu: is "2 cores"; allowed is a number of cores from 0.01 to 1024'],
    ['limits: { cpu_time: 100ms }', 'limits.cpu_time: is "100ms"; allowed is a duration of 1s or more'],
    ['limits: { open_files: 15 }', 'limits.open_files: is "15"; allowed is a whole number from 16 to'],
    ['limits: { processes: 5000000000 }', 'limits.processes: is "5000000000"; allowed is a whole number'],
    ['limits: { file_size: big }', 'limits.file_size: is "big"; allowed is'],
    ['retry: { max_attempts: 5000000000 }', 'retry.max_attempts: is "5000000000"; allowed is'],
    ['user: "a b"', 'user: is "a b"; allowed is USER or USER:GROUP'],
    ['working_directory: here', 'working_directory: is "here"; allowed is an absolute path'],
    [
      'container: { pull: sometimes }',
      'container.pull: is "sometimes"; allowed is one of missing, always, never',
    ],
    ['container: { command: run }', 'container.command: is "run"; allowed is a list'],
    ['container: { privileged: true }', 'container.privileged: is not known'],
    [
      'container: { writeable_root: true }',
      'container.writeable_root: is not known; did you mean writable_root?',
    ],
    ['container: { tmpfs: 1MiB }', 'container.tmpfs: is not known; did you mean'],
    ['warm: { minimum: 1 }', 'warm.minimum: is not known'],
    ['warm: { max: -1 }', 'warm.max: is "-1"; allowed is a whole number from 0 to 1000'],
    ['on_interrupt: retry', 'on_interrupt: is "retry"; allowed is one of rerun, fail, reattach-or-rerun'],
    ['on_interupt: fail', 'on_interupt: is not known; did you mean on_interrupt?'],
    ['concurrency: { key: task }', 'concurrency: is a mapping; allowed is a list'],
    [
      'concurrency: [{ key: taks.x }]',
      'concurrency[0].key: is "taks.x"; allowed is task, tenant, metadata.NAME',
    ],
    ['concurrency: [{ limti: 1 }]', 'concurrency[0].limti: is not known; did you mean limit?'],
    [
      'concurrency: [{ when_full: wait }]',
      'concurrency[0].when_full: is "wait"; allowed is one of queue, refuse, replace-pending, cancel-running',
    ],
    ['rate: [{ per: 5 }]', 'rate[0].per: is "5"; allowed is a duration'],
    ['max_recoveries: 1001', 'max_recoveries: is "1001"; allowed is a whole number from 0 to 1000'],
    ['timers: { total: never }', 'timers.total: is "never"; allowed is one of absolute, remaining, anew'],
    ['timers: { grace: anew }', 'timers.grace: is not known'],
    ['timers: anew', 'timers: is "anew"; allowed is a mapping'],
    ['warm: { idle_timeout: 60 }', 'warm.idle_timeout: is "60"; allowed is a duration'],
    [
      'artifact: { path: exit.wasm, sha256: abc }',
      'artifact.sha256: is "abc"; allowed is a SHA-256 of 64 hex digits',
    ],
    [
      'runtime: wasm\nartifact: { path: exit.wasm, url: "https://a" }',
      'artifact: has path and url; allowed is one',
    ],
    [
      'runtime: wasm\nartifact: http://a/x.wasm',
      'artifact: is "http://a/x.wasm", which anyone on the way can change',
    ],
    [
      'runtime: wasm\nartifact: { url: file:///x }',
      'artifact.url: is "file:///x"; allowed is a URL with https://',
    ],
    [
      'runtime: wasm\nartifact: { image: x }',
      'artifact.image: is the image "x"; allowed for wasm is a file here',
    ],
    [
      'runtime: process\nartifact: https://a/x',
      'artifact: is the url "https://a/x"; allowed for process is a path',
    ],
    [
      'runtime: docker\nartifact: https://a/x',
      'artifact: is the url "https://a/x"; allowed for docker is an image',
    ],
    ['allow_network: true\nallowNetwork: true', 'is there twice'],
    ['- a list', 'the document: is a list; allowed is a mapping'],
    ['name: [', 'is not YAML or JSON'],
    ['name: a\ndescription: &d [*d]', 'task.yaml:2: has *d within what it stands for'],
    ['name: a\nname: b', 'task.yaml:2: has a key that is there already'],
  ])('with %j is refused', async ([text, message]) => {
    const folder = await temporaryFolder();
    await copyFile(artifact, join(folder, 'exit.wasm'));
    const file = join(folder, 'task.yaml');
    await writeFile(file, text);
    const refusal = await readTaskFile(file).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(UsageError);
    expect(String(refusal)).toContain(message);
  });

  test('that is not there is refused', async () => {
    await expect(readTaskFile('/no/such/file')).rejects.toThrow('--file: cannot read "/no/such/file"');
    await expect(readTaskFile('/dev/zero')).rejects.toThrow('it is a device; allowed is a file');
  });

  test('finds what it names beside itself', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'task.yaml');
    await writeFile(file, 'runtime: process\nartifact: bin/tool\npreopens: { /data: data }\nenv:\n');
    expect(await readTaskFile(file)).toMatchObject({
      artifact: { source: { case: 'path', value: join(folder, 'bin/tool') } },
      preopens: { '/data': join(folder, 'data') },
      environment: {},
    });
    await writeFile(file, 'runtime: wasm\nartifact: HTTPS://example.org/x.wasm');
    expect(await readTaskFile(file)).toMatchObject({
      artifact: { source: { case: 'url', value: 'HTTPS://example.org/x.wasm' } },
    });
    await writeFile(file, 'runtime: docker\nartifact: image:tag');
    expect(await readTaskFile(file)).toMatchObject({
      artifact: { source: { case: 'image', value: 'image:tag' } },
    });
  });

  test('can say all of a container, its limits and what is kept warm, in either case', async () => {
    const file = join(await temporaryFolder(), 'task.yaml');
    const digest = 'a'.repeat(64);
    await writeFile(
      file,
      `
name: web
runtime: docker
artifact: { image: web:1, sha256: '${digest}' }
limits: { cpu: 0.5, cpu_time: 1m, processes: 64, openFiles: 256, file_size: 1MiB }
user: 1000:1000
working_directory: /srv
allow_network: true
container:
  command: [serve, -v, 1.10]
  pull: always
  network: front
  writable_root: true
  capabilities: [NET_BIND_SERVICE]
  tmpfsSize: 32MiB
  allow_new_privileges: true
warm: { min: 1, max: 4, idle_timeout: 30s, maxUses: 1, start_ahead: true }
`,
    );
    const definition = await readTaskFile(file);
    expect(definition.limits?.memory).toBeUndefined();
    expect(definition).toMatchObject({
      artifact: { source: { case: 'image', value: 'web:1' }, sha256: digest },
      limits: {
        cpu: 0.5,
        cpuTime: { seconds: 60n },
        processes: 64,
        openFiles: 256,
        fileSize: 1_048_576n,
      },
      user: '1000:1000',
      workingDirectory: '/srv',
      container: {
        command: ['serve', '-v', '1.10'],
        pull: PullPolicy.ALWAYS,
        network: 'front',
        writableRoot: true,
        capabilities: ['NET_BIND_SERVICE'],
        tmpfsSize: 33_554_432n,
        allowNewPrivileges: true,
      },
      warm: { min: 1, max: 4, idleTimeout: { seconds: 30n }, maxUses: 1, startAhead: true },
    });
  });

  test.for<[string, InterruptPolicy]>([
    ['rerun', InterruptPolicy.RERUN],
    ['FAIL', InterruptPolicy.FAIL],
    ['reattach_or_rerun', InterruptPolicy.REATTACH_OR_RERUN],
    ['reattach-or-fail', InterruptPolicy.REATTACH_OR_FAIL],
  ])('can say on_interrupt: %s', async ([word, onInterrupt]) => {
    const file = join(await temporaryFolder(), 'task.yaml');
    await writeFile(file, `runtime: docker\nartifact: image:tag\non_interrupt: ${word}`);
    expect(await readTaskFile(file)).toMatchObject({ onInterrupt });
  });

  test('can say how often it goes on and what its timers do, each timer by itself', async () => {
    const file = join(await temporaryFolder(), 'task.yaml');
    const text = 'runtime: docker\nartifact: image:tag\nmax_recoveries: 0\n';
    await writeFile(file, `${text}timers: { queue: anew, total: remaining }`);
    const definition = await readTaskFile(file);
    expect(definition.maxRecoveries).toBe(0);
    expect(definition.timers).toEqual({ queue: TimerPolicy.ANEW, total: TimerPolicy.REMAINING });
    await writeFile(file, `${text}timers: { start: absolute, attempt: absolute }`);
    expect((await readTaskFile(file)).timers).toEqual({
      start: TimerPolicy.ABSOLUTE,
      attempt: TimerPolicy.ABSOLUTE,
    });
  });

  test('without a word on interruptions leaves them to the server', async () => {
    const file = join(await temporaryFolder(), 'task.yaml');
    await writeFile(file, 'runtime: docker\nartifact: image:tag\ntimers: {}');
    const definition = await readTaskFile(file);
    for (const key of ['onInterrupt', 'maxRecoveries', 'timers']) expect(definition).not.toHaveProperty(key);
  });

  test('without a container or warm instances has neither', async () => {
    const file = join(await temporaryFolder(), 'task.yaml');
    await writeFile(file, 'runtime: docker\nartifact: image:tag');
    const definition = await readTaskFile(file);
    expect(definition).not.toHaveProperty('container');
    expect(definition).not.toHaveProperty('warm');
  });
});
