/** The package's client against a node that answers, refuses, or is killed in the middle. */
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { connect, ExecutionFailed, SpearError } from '../../src/client/main.ts';
import {
  type ChildServer,
  example,
  type LocalServer,
  spawnServer,
  startServer,
  temporaryDataDir,
} from '../support/server.ts';

/** What a promise rejects with. */
async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

function clientOf(address: string, retryMs = 30_000) {
  const spear = connect({ address, retryMs });
  onTestFinished(() => spear.close());
  return spear;
}

describe('a node that answers', () => {
  let server: LocalServer;

  beforeAll(async () => {
    server = await startServer({ slots: '4' });
    await server.register('calc', 'typed/typed.wasm');
    await server.register('cat', 'misbehaving/cat.wasm');
    await server.register('exit', 'misbehaving/exit.wasm');
    await server.register('flood', 'misbehaving/flood.wasm');
    await server.register('loop', 'misbehaving/loop.wasm');
    await server.register('mix', 'misbehaving/stderr-mix.wasm', { args: ['3'] });
  });

  afterAll(() => server.stop());

  test('input comes back as bytes and as text, and a typed value as JSON', async () => {
    const spear = clientOf(server.grpcAddress);
    const echoed = await spear.invoke('cat', { input: 'größe', labels: { of: 'client' }, priority: 'HIGH' });
    expect(echoed.text()).toBe('größe');
    expect(echoed).toMatchObject({
      status: 'COMPLETED',
      exitCode: 0,
      attempt: 1,
      labels: { of: 'client' },
      priority: 'HIGH',
    });
    const sum = await spear.invoke('calc', { function: 'add', parameters: { a: 40, b: 2n } });
    expect(sum.json()).toBe(42);
  });

  test('an execution that fails says with which code, whose it is, and what it wrote', async () => {
    const failure = await failureOf(clientOf(server.grpcAddress).invoke('exit', { args: ['3'] }));
    expect(failure).toBeInstanceOf(ExecutionFailed);
    const { code, origin, output, errorOutput, result, executionId } = failure as ExecutionFailed;
    expect({ code, origin, exitCode: result.exitCode }).toEqual({
      code: 'FUNCTION_EXIT',
      origin: 'USER',
      exitCode: 3,
    });
    expect(new TextDecoder().decode(output)).toBe('bye\n');
    expect(new TextDecoder().decode(errorOutput)).toBe('leaving\n');
    expect(executionId).toMatch(/^exec_/);
  });

  test('a refusal says its reason and each field that is not allowed', async () => {
    const spear = clientOf(server.grpcAddress);
    const unknown = await failureOf(spear.invoke('nothing'));
    expect(unknown).toBeInstanceOf(SpearError);
    expect(unknown).toMatchObject({
      code: 'NOT_FOUND',
      reason: 'TASK_NOT_FOUND',
      metadata: { task: 'nothing' },
    });
    const wrong = await failureOf(spear.start('cat', { labels: { '-': 'x' } }));
    expect(wrong).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'INVALID_FIELD' });
    const fields = (wrong as SpearError).violations.map(({ field }) => field);
    expect(fields).toEqual(['labels."-"']);
    expect(await failureOf(spear.invoke('calc', { parameters: { a: Symbol('no') } }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      violations: [{ field: 'parameters.a' }],
    });
  });

  test('output that no response can carry comes whole', async () => {
    const result = await clientOf(server.grpcAddress).invoke('flood', { args: ['5000000'] });
    expect(result.output.byteLength).toBe(5_000_000);
    expect(result.outputTruncated).toBe(false);
    expect(result.output.every((byte, index) => byte === 97 + (index % 26))).toBe(true);
  });

  test('each stream can be read as it comes, and ends with the execution', async () => {
    const execution = await clientOf(server.grpcAddress).start('mix');
    const texts = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      for await (const data of execution.output({ stream })) texts[stream] += new TextDecoder().decode(data);
    }
    expect(texts.stdout.trimEnd().split('\n')).toHaveLength(3);
    expect(texts.stderr.trimEnd().split('\n')).toHaveLength(3);
  });

  test('a loop over output that breaks off leaves the execution running, and a cancel ends it', async () => {
    const execution = await clientOf(server.grpcAddress).start('loop');
    for await (const data of execution.output()) {
      expect(new TextDecoder().decode(data)).toBe('looping\n');
      break;
    }
    expect((await execution.status()).status).toBe('RUNNING');
    expect(await execution.cancel({ reason: 'seen' })).toMatchObject({ changed: true });
    expect(await failureOf(execution.result())).toMatchObject({ code: 'CANCELLED', origin: 'POLICY' });
    expect((await execution.ended()).status).toBe('CANCELLED');
    expect(await execution.cancel()).toEqual({ changed: false, status: 'CANCELLED' });
  });

  test('an aborted wait ends with the reason of its signal, and stops nothing', async () => {
    const spear = clientOf(server.grpcAddress);
    const execution = await spear.start('loop');
    const controller = new AbortController();
    const { signal } = controller;
    const waiting = failureOf(execution.result({ signal }));
    await expect.poll(async () => (await execution.status()).status).toBe('RUNNING');
    controller.abort(new Error('enough'));
    expect(await waiting).toMatchObject({ message: 'enough' });
    expect(await failureOf(spear.invoke('cat', { signal }))).toMatchObject({ message: 'enough' });
    expect((await execution.status()).status).toBe('RUNNING');
    await execution.cancel();
  });

  test('an aborted invoke that is to be cancelled on a disconnect is', async () => {
    const spear = clientOf(server.grpcAddress);
    const controller = new AbortController();
    const { signal } = controller;
    const labels = { of: 'abort' };
    const waiting = failureOf(spear.invoke('loop', { labels, cancelOnDisconnect: true, signal }));
    const statuses = async () => {
      const listed = [];
      for await (const { status } of spear.list({ labels })) listed.push(status);
      return listed;
    };
    await expect.poll(statuses).toEqual(['RUNNING']);
    controller.abort();
    expect(await waiting).toMatchObject({ name: 'AbortError' });
    await expect.poll(statuses).toEqual(['CANCELLED']);
  });

  test('the same invocation id joins, and with another payload is refused', async () => {
    const spear = clientOf(server.grpcAddress);
    const first = await spear.start('cat', { input: 'once', invocationId: 'one' });
    const second = await spear.start('cat', { input: 'once', invocationId: 'one' });
    expect([first.joined, second.joined]).toEqual([false, true]);
    expect(second.id).toBe(first.id);
    expect((await spear.invoke('cat', { input: 'once', invocationId: 'one' })).executionId).toBe(first.id);
    expect(await failureOf(spear.invoke('cat', { input: 'twice', invocationId: 'one' }))).toMatchObject({
      code: 'ALREADY_EXISTS',
      reason: 'INVOCATION_ID_IN_USE',
    });
  });

  test('tasks are registered, changed, listed and deleted; executions are listed by label', async () => {
    const spear = clientOf(server.grpcAddress);
    const artifact = await example('misbehaving/cat.wasm');
    const limits = { maxOutputBytes: 1_000_000 };
    const definition = { name: 'mine', runtime: 'wasm', artifact, limits, grace: '1.5s' } as const;
    const task = await spear.tasks.register(definition);
    expect(task.definition).toMatchObject({ grace: '1.500s', limits: { maxOutputBytes: '1000000' } });
    expect(await failureOf(spear.tasks.register(definition, { ifAbsent: true }))).toMatchObject({
      reason: 'TASK_EXISTS',
    });
    const changed = await spear.tasks.update(
      'mine',
      { labels: { team: 'a' }, fairnessKey: 'k' },
      { expectedRevision: 1 },
    );
    expect(changed).toMatchObject({ revision: 2, definition: { labels: { team: 'a' }, fairnessKey: 'k' } });
    const named = [];
    for await (const { definition } of spear.tasks.list({ labels: { team: 'a' } }))
      named.push(definition?.name);
    expect(named).toEqual(['mine']);
    const { executionId } = await spear.invoke('mine', { labels: { run: '1' } });
    const listed = [];
    for await (const each of spear.list({ labels: { run: '1' }, statuses: ['COMPLETED'] })) listed.push(each);
    expect(listed.map((each) => each.executionId)).toEqual([executionId]);
    await spear.tasks.delete('mine');
    expect(await failureOf(spear.tasks.get('mine'))).toMatchObject({ reason: 'TASK_NOT_FOUND' });
  });

  test('a task that is held goes on when it is let', async () => {
    const spear = clientOf(server.grpcAddress);
    const execution = await spear.start('cat', { input: 'later', startAfterMs: 3_600_000 });
    expect(await execution.suspend()).toEqual({ changed: true, status: 'PENDING' });
    expect(await execution.resume()).toMatchObject({ changed: true });
    await execution.cancel();
  });
});

describe('a node that is killed', () => {
  let dataDir: string;
  let server: ChildServer;

  beforeAll(async () => {
    dataDir = await temporaryDataDir();
    server = await spawnServer(dataDir);
    await server.register('ticker', 'ticker/ticker.wasm');
  });

  afterAll(async () => {
    await server.end('SIGTERM');
    await rm(dataDir, { recursive: true, force: true });
  });

  async function killAndRestart(): Promise<void> {
    const { grpcAddress } = server;
    await server.end('SIGKILL');
    server = await spawnServer(dataDir, { grpcAddress });
  }

  test('events go on behind the last one, each once, and a result is waited for across the restart', async () => {
    const spear = clientOf(server.grpcAddress);
    const execution = await spear.start('ticker', { args: ['5', '100'] });
    const result = execution.result();
    const sequences: number[] = [];
    let killed: Promise<void> | undefined;
    for await (const event of execution.events()) {
      sequences.push(event.sequence);
      if (event.kind === 'chunk') killed ??= killAndRestart();
    }
    await killed;
    expect(killed).toBeDefined();
    expect(sequences).toEqual(sequences.map((_, index) => index + 1));
    const { attempt, recoveries, text } = await result.then((each) => ({ ...each, text: each.text() }));
    expect({ attempt, recoveries }).toEqual({ attempt: 2, recoveries: 1 });
    expect(text.match(/tick 5\n$/)).not.toBeNull();
    const rest = [];
    for await (const { sequence } of execution.events({ from: sequences.length })) rest.push(sequence);
    expect(rest).toEqual([sequences.length]);
  });

  test('an invoke whose node dies runs once, and so does one that begins while there is none', async () => {
    const spear = clientOf(server.grpcAddress);
    const running = spear.invoke('ticker', { args: ['4', '150'], labels: { of: 'death' } });
    await expect
      .poll(
        async () => (await server.functions.listExecutions({ labels: { of: 'death' } })).executions.length,
      )
      .toBe(1);
    const { grpcAddress } = server;
    await server.end('SIGKILL');
    const begun = spear.invoke('ticker', { args: ['1'], labels: { of: 'death' } });
    server = await spawnServer(dataDir, { grpcAddress });
    expect((await running).text()).toMatch(/tick 4\n$/);
    expect((await begun).text()).toBe('tick 1\n');
    const { executions } = await server.functions.listExecutions({ labels: { of: 'death' } });
    expect(executions).toHaveLength(2);
  });

  test('a node that stays away is given up on, with its address', async () => {
    const { grpcAddress } = server;
    await server.end('SIGKILL');
    const failure = await failureOf(clientOf(grpcAddress, 50).invoke('ticker'));
    expect(failure).toMatchObject({ name: 'SpearError', code: 'UNAVAILABLE', reason: '' });
    expect((failure as SpearError).message).toContain(grpcAddress);
    server = await spawnServer(dataDir, { grpcAddress });
  });
});
