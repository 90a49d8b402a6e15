import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readTaskFile } from '../../src/cli/task-file.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
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
    ['allow_network: true\nallowNetwork: true', 'is there twice'],
    ['- a list', 'the document: is a list; allowed is a mapping'],
    ['name: [', 'is not YAML or JSON'],
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
    await writeFile(file, 'runtime: docker\nartifact: image:tag');
    expect(await readTaskFile(file)).toMatchObject({
      artifact: { source: { case: 'image', value: 'image:tag' } },
    });
  });
});
