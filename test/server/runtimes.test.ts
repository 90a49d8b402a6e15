import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  ErrorCode,
  ExecutionStatus,
  type StreamExecutionResult,
} from '../../src/server/gen/spearlet/function_pb.js';
import { RuntimeKind, type Task } from '../../src/server/gen/spearlet/task_pb.js';
import { makeTestImage, testImage } from '../support/docker-image.ts';
import { compile, type NativeProgram } from '../support/native.ts';
import { compiler, describeWhere, dockerEngine } from '../support/needs.ts';
import { example, type LocalServer, startServer } from '../support/server.ts';

const execute = promisify(execFile);
const kinds = ['wasm', 'process', 'docker'] as const;
const words = Buffer.from('one two\nthree\n');
const image = 'spear-test:wordcount';

/** What an observer sees, without what differs from run to run: where a stream is cut into chunks is a matter of time. */
function seen(events: readonly StreamExecutionResult[]) {
  const steps: Record<string, unknown>[] = [];
  for (const { status, attempt, isFinal, event } of events) {
    const facts = { status, attempt, isFinal };
    const last = steps.at(-1);
    switch (event.case) {
      case 'transition':
        steps.push({ ...facts, from: event.value.from, to: event.value.to, type: event.value.eventType });
        break;
      case 'chunk': {
        const data = Buffer.from(event.value.data).toString();
        if (last?.stream === event.value.stream) last.data = `${last.data}${data}`;
        else steps.push({ ...facts, stream: event.value.stream, data });
        break;
      }
      case 'refusal':
        break;
      default: {
        const { exitCode, output, outputBytes, state } = event.value ?? {};
        steps.push({ ...facts, exitCode, outputBytes, state, output: Buffer.from(output ?? []).toString() });
      }
    }
  }
  return steps;
}

describeWhere([await dockerEngine(), await compiler()], 'word count in every runtime', () => {
  let server: LocalServer;
  let program: NativeProgram;
  const tasks = new Map<string, Task>();

  beforeAll(async () => {
    program = await compile('wordcount/wordcount.c', 'wordcount');
    await execute('sh', ['-c', `tar -C ${program.folder} -c wordcount | docker import - ${image}`]);
    await makeTestImage();
    server = await startServer({ allowHostAccess: true, dockerHost: 'unix:///var/run/docker.sock' });
    const register = async (name: string, runtime: RuntimeKind, artifact: object, args: string[] = []) => {
      const { task } = await server.tasks.registerTask({ definition: { name, runtime, artifact, args } });
      if (task !== undefined) tasks.set(name, task);
    };
    tasks.set('wasm', await server.register('wasm', 'wordcount/wordcount.component.wasm'));
    await register('process', RuntimeKind.PROCESS, { source: { case: 'path', value: program.path } });
    await register('docker', RuntimeKind.DOCKER, { source: { case: 'image', value: image } }, ['/wordcount']);
  });

  afterAll(async () => {
    await server?.stop();
    await program?.remove();
    await execute('docker', ['rmi', '-f', image]);
  });

  test.each(kinds)('answers a sync call: %s', async (task) => {
    const { success, result } = await server.functions.invokeFunction({ task, input: words });
    expect(success).toBe(true);
    expect(result).toMatchObject({ status: ExecutionStatus.COMPLETED, exitCode: 0, loosened: [] });
    expect(Buffer.from(result?.output ?? []).toString()).toBe('2 3 14\n');
    expect(result?.instanceId).not.toBe('');
  });

  test('shows the same events, whatever runs it', async () => {
    const logs = [];
    for (const task of kinds) {
      const events: StreamExecutionResult[] = [];
      for await (const event of server.functions.streamFunction({ task, input: words })) events.push(event);
      expect(events.map(({ sequence }) => Number(sequence))).toEqual(events.map((_, index) => index + 1));
      logs.push(seen(events));
    }
    expect(logs[1]).toEqual(logs[0]);
    expect(logs[2]).toEqual(logs[0]);
  });

  test.each(kinds)('is registered with its digest and its default limits: %s', (name) => {
    const { definition, functions } = tasks.get(name) ?? {};
    expect(definition?.artifact?.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(definition?.limits?.memory).toBe(134_217_728n);
    expect(functions).toMatchObject([{ name: '', callable: true }]);
  });

  test.each(kinds)('is refused with a digest that it does not have: %s', async (name) => {
    const sha256 = 'a'.repeat(64);
    const artifacts = {
      wasm: { source: { case: 'content' as const, value: await example('misbehaving/cat.wasm') }, sha256 },
      process: { source: { case: 'path' as const, value: program.path }, sha256 },
      docker: { source: { case: 'image' as const, value: image }, sha256 },
    };
    const runtime = tasks.get(name)?.definition?.runtime ?? RuntimeKind.UNSPECIFIED;
    const refused = server.tasks.registerTask({
      definition: { name: 'refused', runtime, artifact: artifacts[name] },
    });
    await expect(refused).rejects.toThrow(/definition\.artifact\.sha256/);
  });

  test('leaves no instance of a process or a container', async () => {
    const { instances } = await server.instances.listInstances({});
    expect(instances.filter(({ runtime }) => runtime !== RuntimeKind.WASM)).toEqual([]);
  });

  test('says what a task loosens, in its record and in the outcome', async () => {
    const { task } = await server.tasks.registerTask({
      definition: {
        name: 'loose',
        runtime: RuntimeKind.DOCKER,
        artifact: { source: { case: 'image', value: testImage } },
        args: ['/bin/true'],
        allowNetwork: true,
        user: '0:0',
        container: { writableRoot: true, capabilities: ['CHOWN'] },
      },
    });
    const lines = ['network: bridge', 'user: 0:0', 'writable root file system', 'capability: CHOWN'];
    expect(task?.loosened).toEqual(lines);
    const { result } = await server.functions.invokeFunction({ task: 'loose' });
    expect(result).toMatchObject({ status: ExecutionStatus.COMPLETED, loosened: lines });
  });

  test('a task that cannot be started fails with START_FAILED', async () => {
    await server.tasks.registerTask({
      definition: {
        name: 'nothing',
        runtime: RuntimeKind.DOCKER,
        artifact: { source: { case: 'image', value: testImage } },
        args: ['/no/such/program'],
      },
    });
    const { success, result } = await server.functions.invokeFunction({ task: 'nothing' });
    expect(success).toBe(false);
    expect(result).toMatchObject({ errorCode: ErrorCode.START_FAILED });
  });
});
