import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EngineFacts } from '../../../src/runtimes/docker/engine/connection.ts';
import { SocketMemory } from '../../../src/runtimes/docker/engine/socket-memory.ts';
import { checkDefinition, defaultLimits } from '../../../src/runtimes/docker/launch/definition-check.ts';
import type { InstanceRuntime } from '../../../src/runtimes/runtime.ts';
import { openRuntime, taskOf, testImageId } from './tasks.ts';
import { describeDocker } from './where.ts';

const MiB = 1024 * 1024;
const able: EngineFacts = {
  memoryLimit: true,
  swapLimit: true,
  cpuQuota: true,
  processLimit: true,
  sockets: SocketMemory.of({ version: '2', driver: 'systemd' }, true),
  cores: 2,
};
const output = { maxOutputBytes: MiB, maxOutputEvents: 1000 };
let runtime: InstanceRuntime;
let imageId: string;

beforeAll(async () => {
  imageId = await testImageId();
  runtime = await openRuntime();
});

afterAll(() => runtime.close());

describeDocker('a definition that cannot be run', () => {
  it.each([
    ['definition.instance_policy', { instancePolicy: 'reused' }],
    ['definition.limits.memory', { limits: { ...output, memory: 6 * MiB - 1 } }],
    ['definition.limits.cpu', { limits: { ...output, cpu: 1000 } }],
    ['definition.user', { user: 'a:b:c' }],
    ['definition.user', { user: '-1' }],
    ['definition.user', { user: '4294967296' }],
    ['definition.preopens', { preopens: { data: '/srv' } }],
    ['definition.preopens', { preopens: { '/': '/srv' } }],
    ['definition.container.capabilities', { container: { capabilities: ['net-admin'] } }],
    ['definition.container.capabilities', { container: { capabilities: ['CHOWN', 'DAC_READ_SEARCH'] } }],
    ['definition.container.capabilities', { container: { capabilities: ['CAP_SYS_ADMIN'] } }],
    ['definition.container.capabilities', { container: { capabilities: ['ALL'] } }],
    ['definition.container.network', { allowNetwork: true, container: { network: 'nosuch' } }],
    ['definition.container.network', { allowNetwork: true, container: { network: 'container:other' } }],
    ['definition.container.network', { allowNetwork: true, container: { network: 'host' } }],
    ['definition.container.network', { allowNetwork: true, container: { network: '' } }],
  ] as const)('is refused by the name of its field %s', async (field, more) => {
    await expect(runtime.prepare(taskOf(imageId, ['cat'], more))).rejects.toMatchObject({
      name: 'RequestError',
      kind: 'invalid_argument',
      violations: [{ field }],
    });
  });

  it('is one that names no program, of an image that names none', async () => {
    await expect(runtime.prepare(taskOf(imageId, []))).rejects.toMatchObject({
      violations: [{ field: 'definition.container.command' }],
    });
  });

  it('names the network of the host on a node that does not give it', async () => {
    const open = await openRuntime({ hostAccess: true });
    const task = taskOf(imageId, ['cat'], { allowNetwork: true, container: { network: 'host' } });
    await expect(open.prepare(task)).resolves.toBeDefined();
    await open.close();
  });

  it('has a capability that leads to the host on a node that does not give it', async () => {
    const contained = taskOf(imageId, ['cat'], { container: { capabilities: ['CHOWN', 'CAP_KILL'] } });
    await expect(runtime.prepare(contained)).resolves.toBeDefined();
    const open = await openRuntime({ hostAccess: true });
    const task = taskOf(imageId, ['cat'], { container: { capabilities: ['SYS_ADMIN'] } });
    await expect(open.prepare(task)).resolves.toBeDefined();
    await open.close();
  });
});

describeDocker('an engine whose kernel lacks a limit', () => {
  it.each([
    ['memory', { memoryLimit: false }, { memory: 64 * MiB }],
    ['memory', { swapLimit: false }, { memory: 64 * MiB }],
    ['cpu', { cpuQuota: false }, { cpu: 1 }],
    ['processes', { processLimit: false }, { processes: 10 }],
  ])('refuses a task that asks for limits.%s, and gives none that does not', (name, lacks, limits) => {
    const facts = { ...able, ...lacks };
    const asking = { ...taskOf('', ['cat']), limits: { ...output, ...limits } };
    expect(() => checkDefinition(asking, facts)).toThrow(
      expect.objectContaining({
        kind: 'failed_precondition',
        violations: [expect.objectContaining({ field: `definition.limits.${name}` })],
      }),
    );
    const silent = { ...taskOf('', ['cat']), limits: output };
    expect(() => checkDefinition(silent, facts)).not.toThrow();
    expect(Object.keys(defaultLimits(facts))).not.toContain(name);
  });

  it('is none here: what a task does not limit gets 128 MiB, one processor and 128 processes', () => {
    expect(runtime.defaultLimits).toEqual({ memory: 128 * MiB, cpu: 1, processes: 128 });
  });
});
