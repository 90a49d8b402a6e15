import { describe, expect, onTestFinished, test } from 'vitest';
import { firstLine } from '../../src/domain/snapshot/writer.ts';
import { SnapshotService } from '../../src/server/gen/spearlet/snapshot_pb.js';
import type { ChildServer } from '../support/server.ts';
import { collect } from './collect.ts';
import { line } from './line.ts';
import { server, withServer } from './local.ts';
import { spawnMeasured, usageOf } from './measured.ts';
import { refusal } from './refusal.ts';
import { another, begin, messages, restore, spooled, take } from './snapshots.ts';
import { dataFolder } from './spawned.ts';

const mebibyte = 1024 * 1024;
/** What a server may keep beyond what it had, for a document of any size. */
const mostGrowth = 24 * mebibyte;

withServer({ slots: '6', maxRequestBytes: '200000' }, async () => {
  await server.register('cat', 'misbehaving/cat.wasm');
});

/** The document of an execution that waits for its start. */
async function waiting(): Promise<{ readonly executionId: string; readonly document: Buffer }> {
  const executionId = await begin(server, { task: 'cat', startAfter: { seconds: 3600n } });
  const { document } = await take(server, executionId, { detach: true, includeArtifact: true });
  return { executionId, document };
}

/** Bytes that a server still has after a garbage collection. */
async function live(node: ChildServer): Promise<number> {
  const { heapUsed, arrayBuffers } = await usageOf(node);
  return heapUsed + arrayBuffers;
}

/** Looks at a server now and then: a collection each time would be all that it does. */
class Gauge {
  most = 0;
  readonly #node: ChildServer;
  #passed = 0;

  constructor(node: ChildServer) {
    this.#node = node;
  }

  async look(): Promise<void> {
    this.most = Math.max(this.most, await live(this.#node));
  }

  async passing(bytes: number): Promise<void> {
    this.#passed += bytes;
    if (this.#passed < 16 * mebibyte) return;
    this.#passed = 0;
    await this.look();
  }
}

async function measured(): Promise<ChildServer> {
  const node = await spawnMeasured(await dataFolder());
  onTestFinished(async () => void (await node.end('SIGKILL')));
  return node;
}

test('70 MB of log go out and in while neither server holds them', async () => {
  const source = await measured();
  const bytes = 70 * mebibyte;
  await source.register('flood', 'misbehaving/flood.wasm', {
    limits: { maxOutputBytes: BigInt(bytes), maxOutputEvents: 1_000_000n },
  });
  const ended = await source.functions.invokeFunction({ task: 'flood', maxInlineBytes: 0 });
  const { executionId } = ended;
  expect(Number(ended.result?.outputBytes)).toBe(bytes);
  const before = await live(source);
  const out = new Gauge(source);
  const data: Uint8Array[] = [];
  for await (const { step } of source.snapshots.snapshotExecution({ executionId })) {
    if (step.case !== 'data') continue;
    data.push(step.value);
    await out.passing(step.value.byteLength);
  }
  expect(out.most).toBeGreaterThan(0);
  expect(out.most - before).toBeLessThan(mostGrowth);

  const target = await measured();
  const beforeRestore = await live(target);
  const into = new Gauge(target);
  const sent = Promise.withResolvers<void>();
  const pieces = async function* () {
    for await (const message of messages({}, Buffer.concat(data))) {
      yield message;
      await into.passing(50_000);
    }
    sent.resolve();
  };
  const restoring = target.snapshots.restoreExecution(pieces());
  await sent.promise;
  // Now it reads what it has, and writes it into its store.
  for (let looks = 0; looks < 5; looks++) await into.look();
  expect(into.most - beforeRestore).toBeLessThan(mostGrowth);
  expect((await restoring).lastSequence).toBe(ended.lastSequence);
  let output = 0;
  for await (const { event } of target.functions.watchExecution({ executionId })) {
    if (event.case === 'chunk') output += event.value.data.byteLength;
  }
  expect(output).toBe(bytes);
}, 120_000);

/** The beginning of a document that is too large for memory, as far as its frame tells. */
const large = Buffer.from(`${firstLine}${'{"kind":"events"},\n'.repeat(200_000)}`);

describe('a restore', () => {
  test('that is damaged leaves nothing', async () => {
    const { executionId, document } = await waiting();
    const target = await another();
    const middle = document.byteLength >> 1;
    for (const broken of [
      document.subarray(0, document.byteLength - 40),
      Buffer.concat([document.subarray(0, middle), document.subarray(middle + 1)]),
      Buffer.from('hello\n'),
    ]) {
      const { code, reason, fields } = await refusal(restore(target, broken));
      expect({ code, reason }).toEqual({ code: 'INVALID_ARGUMENT', reason: 'SNAPSHOT_DAMAGED' });
      expect(fields.snapshot).toMatch(/^line \d+: /);
    }
    expect(await spooled(target)).toEqual([]);
    expect((await refusal(target.functions.getExecutionStatus({ executionId }))).code).toBe('NOT_FOUND');
    expect((await restore(target, document)).result?.executionId).toBe(executionId);
  });

  test('that is refused at its first line is answered although the caller goes on sending', async () => {
    const endless = async function* () {
      yield* messages({}, Buffer.from('no snapshot\n'));
      for (;;) yield { step: { case: 'data' as const, value: Buffer.alloc(50_000, 97) } };
    };
    const { reason } = await refusal(server.snapshots.restoreExecution(endless()));
    expect(reason).toBe('SNAPSHOT_DAMAGED');
    expect(await spooled(server)).toEqual([]);
  });

  test('whose caller goes away leaves nothing', async () => {
    const target = await another();
    const caller = await line(target.grpcAddress);
    const sent = Promise.withResolvers<void>();
    const stuck = async function* () {
      yield* messages({}, large);
      sent.resolve();
      await new Promise(() => {});
    };
    const call = caller.connection.service(SnapshotService).restoreExecution(stuck());
    const lost = call.then(
      () => 'answered',
      () => 'lost',
    );
    await sent.promise;
    await expect.poll(() => spooled(target)).toHaveLength(1);
    caller.cut();
    expect(await lost).toBe('lost');
    await expect.poll(() => spooled(target)).toEqual([]);
  });

  test('whose caller has a deadline that passes leaves nothing', async () => {
    const target = await another();
    const never = async function* () {
      yield* messages({}, large);
      await new Promise(() => {});
    };
    const call = target.snapshots.restoreExecution(never(), { deadline: Date.now() + 300 });
    expect((await refusal(call)).code).toBe('DEADLINE_EXCEEDED');
    await expect.poll(() => spooled(target)).toEqual([]);
  });

  test('takes its options first, and once', async () => {
    const { document } = await waiting();
    const dataFirst = async function* () {
      yield { step: { case: 'data' as const, value: document } };
    };
    const twice = async function* () {
      yield* messages({}, Buffer.alloc(0));
      yield* messages({}, document);
    };
    for (const requests of [dataFirst(), twice(), collectNothing()]) {
      const { code, fields } = await refusal(server.snapshots.restoreExecution(requests));
      expect(code).toBe('INVALID_ARGUMENT');
      expect(Object.keys(fields)).toEqual(['step']);
    }
  });

  test('with a message above the limit is refused', async () => {
    const tooLarge = async function* () {
      yield* messages({}, Buffer.alloc(0));
      yield { step: { case: 'data' as const, value: Buffer.alloc(300_000) } };
    };
    expect(await refusal(server.snapshots.restoreExecution(tooLarge()))).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'REQUEST_TOO_LARGE',
    });
  });
});

async function* collectNothing(): AsyncGenerator<never> {}

test('a caller that stops reading a snapshot stops its writing', async () => {
  const { executionId } = await waiting();
  for await (const { step } of server.snapshots.snapshotExecution({ executionId })) {
    expect(step.case).toBe('summary');
    break;
  }
  expect(await collect(server.snapshots.snapshotExecution({ executionId }))).not.toEqual([]);
});
