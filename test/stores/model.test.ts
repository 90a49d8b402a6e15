import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ExecutionStatus } from '../../src/domain/execution.ts';
import { executionStatuses } from '../../src/domain/execution.ts';
import type { Labels } from '../../src/domain/labels.ts';
import { openSqliteStore } from '../../src/stores/sqlite/store.ts';
import { type CommitEntry, type Store, StoreError } from '../../src/stores/store.ts';
import { createMemoryStore } from '../support/memory-store/store.ts';
import { temporaryFolder } from './folder.ts';
import { bytesOf, chunk, executionId, invocationOf, recordOf, taskOf, transition } from './samples.ts';

interface Step {
  readonly says: string;
  readonly on: (store: Store) => Promise<unknown>;
}

const number = fc.integer({ min: 1, max: 5 });
const id = number.map(executionId);
const status: fc.Arbitrary<ExecutionStatus> = fc.constantFrom(...executionStatuses);
const key = fc.constantFrom('k1', 'k2', 'k3');
const taskId = fc.constantFrom('task_1', 'task_2');
const labels = fc.constantFrom<Labels>(
  {},
  { team: 'a' },
  { team: 'b', rare: '' },
  { rare: '' },
  { rare: 'a' },
);
const name = fc.constantFrom('a', 'b', 'c');

const event = fc.oneof(
  { weight: 8, arbitrary: fc.constant((sequence: number) => transition(sequence, 'a', 'b')) },
  {
    weight: 8,
    arbitrary: fc
      .nat({ max: 30 })
      .map((size) => (sequence: number) => chunk(sequence, bytesOf(size, sequence))),
  },
  // Two of these are more than a row holds.
  { weight: 1, arbitrary: fc.constant((sequence: number) => chunk(sequence, bytesOf(600_000, sequence))) },
);

/** An entry that is mostly right about the last sequence, as `drawn` looks it up. */
const entry = fc.record({
  id,
  stale: fc.boolean().chain((maybe) => fc.integer({ min: 0, max: maybe ? 3 : 0 })),
  events: fc.array(event, { maxLength: 4, size: 'max' }),
  status: fc.option(status, { nil: undefined }),
  attempt: number,
  claim: fc.option(key, { nil: undefined }),
  input: fc.option(fc.constantFrom(0, 10, 300_000), { nil: undefined }),
});
type EntrySketch = typeof entry extends fc.Arbitrary<infer T> ? T : never;

async function lastSequence(store: Store, executionId: string): Promise<number> {
  let last = 0;
  for (;;) {
    const page = await store.events(executionId, { from: last + 1, maxBytes: 1 << 20 });
    if (page.length === 0) return last;
    last += page.length;
  }
}

/** Of an execution or a task, by its number; some have none. */
function labelsOf(number: number): { readonly labels?: Labels } {
  if (number % 3 === 0) return {};
  return { labels: { team: number % 2 === 0 ? 'a' : 'b', ...(number % 5 === 0 && { rare: '' }) } };
}

const never = Number.POSITIVE_INFINITY;

async function drawn(store: Store, sketch: EntrySketch): Promise<CommitEntry> {
  const expectedLastSequence = Math.max(0, (await lastSequence(store, sketch.id)) - sketch.stale);
  const { id: executionId, claim } = sketch;
  const admission = (sequence: number) => transition(sequence, '', 'pending');
  const makers = expectedLastSequence === 0 ? [admission, ...sketch.events] : sketch.events;
  const createdAt = Number(executionId.slice(5));
  const more = {
    attempt: sketch.attempt,
    createdAt,
    completedAt: createdAt + sketch.attempt,
    taskId: `task_${sketch.attempt % 2}`,
    ...labelsOf(createdAt),
  };
  return {
    executionId,
    expectedLastSequence,
    events: makers.map((make, index) => make(expectedLastSequence + index + 1)),
    ...(sketch.status === undefined ? {} : { record: recordOf(executionId, sketch.status, more) }),
    ...(claim === undefined ? {} : { claimInvocationId: claim }),
    ...(sketch.attempt % 2 === 0 && {
      waiting: {
        line: `line ${createdAt % 2}`,
        since: sketch.attempt,
        wakesAt: sketch.attempt / 0.1 || never,
      },
    }),
    ...(sketch.input === undefined ? {} : { input: invocationOf({ input: bytesOf(sketch.input) }) }),
  };
}

const step: fc.Arbitrary<Step | 'restart'> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.array(entry, { minLength: 1, maxLength: 4 }).map((sketches) => ({
      says: `commit ${JSON.stringify(sketches)}`,
      on: async (store: Store) =>
        store.commit(await Promise.all(sketches.map((sketch) => drawn(store, sketch)))),
    })),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({
        taskId: fc.option(fc.constantFrom('task_0', 'task_1'), { nil: undefined }),
        statuses: fc.array(status, { maxLength: 3 }),
        createdAfter: fc.option(number, { nil: undefined }),
        createdBefore: fc.option(number, { nil: undefined }),
        beforeId: fc.option(id, { nil: undefined }),
        labels: fc.option(labels, { nil: undefined }),
        limit: number,
      })
      .map(({ taskId, createdAfter, createdBefore, beforeId, labels: wanted, ...filter }) => ({
        says: `executions ${JSON.stringify({ taskId, createdAfter, createdBefore, beforeId, wanted, ...filter })}`,
        on: (store: Store) =>
          store.executions({
            ...filter,
            ...(taskId === undefined ? {} : { taskId }),
            ...(createdAfter === undefined ? {} : { createdAfter }),
            ...(createdBefore === undefined ? {} : { createdBefore }),
            ...(beforeId === undefined ? {} : { beforeId }),
            ...(wanted === undefined ? {} : { labels: wanted }),
          }),
      })),
  },
  fc.tuple(fc.option(id, { nil: '' }), number).map(([after, limit]) => ({
    says: `unfinished ${after} ${limit}`,
    on: (store: Store) => store.unfinished(after, limit),
  })),
  fc
    .tuple(fc.constantFrom('line 0', 'line 1'), fc.option(number, { nil: undefined }), id, number)
    .map(([line, since, executionId, limit]) => ({
      says: `waiting ${line} ${since} ${executionId} ${limit}`,
      on: (store: Store) =>
        store.waiting(line, since === undefined ? undefined : { since, executionId }, limit),
    })),
  fc.tuple(fc.option(number, { nil: undefined }), id, number).map(([wakesAt, executionId, limit]) => ({
    says: `waking ${wakesAt} ${executionId} ${limit}`,
    on: (store: Store) => store.waking(wakesAt === undefined ? undefined : { wakesAt, executionId }, limit),
  })),
  fc.constant({ says: 'waitingLines', on: (store: Store) => store.waitingLines() }),
  fc.tuple(id, fc.nat({ max: 12 }), fc.constantFrom(0, 40, 1 << 21)).map(([of, from, maxBytes]) => ({
    says: `events ${of} ${from} ${maxBytes}`,
    on: (store: Store) => store.events(of, { from, maxBytes }),
  })),
  fc.tuple(fc.nat({ max: 40 }), number).map(([from, limit]) => ({
    says: `eventsFromPosition ${from} ${limit}`,
    on: (store: Store) => store.eventsFromPosition(from, limit),
  })),
  fc.tuple(taskId, number, name).map(([task, revision, called]) => ({
    says: `saveTask ${task} ${revision} ${called}`,
    on: (store: Store) => store.saveTask(taskOf(task, revision, called, labelsOf(revision))),
  })),
  fc.tuple(fc.option(name, { nil: '' }), number, labels).map(([after, limit, wanted]) => ({
    says: `tasks ${after} ${limit} ${JSON.stringify(wanted)}`,
    on: (store: Store) => store.tasks('default', after, limit, wanted),
  })),
  fc.tuple(taskId, number, name).map(([task, revision, called]) => ({
    says: `saveRevision ${task} ${revision} ${called}`,
    on: (store: Store) => store.saveRevision(taskOf(task, revision, called)),
  })),
  {
    weight: 2,
    arbitrary: fc
      .tuple(id, fc.nat({ max: 6 }), fc.array(event, { maxLength: 3 }))
      .map(([of, last, makers]) => ({
        says: `stage ${of} after ${last}: ${makers.length}`,
        on: (store: Store) =>
          store
            .stage(
              of,
              [transition, ...makers].map((make, index) => make(last + index + 1, 'a', 'b')),
            )
            .catch((error: Error) => error instanceof StoreError),
      })),
  },
  id.map((of) => ({ says: `unstage ${of}`, on: (store: Store) => store.unstage(of) })),
  id.map((of) => ({ says: `delete ${of}`, on: (store: Store) => store.delete(of) })),
  fc.nat({ max: 12 }).map((endedBefore) => ({
    says: `retain ${endedBefore}`,
    on: (store: Store) => retainAll(store, endedBefore),
  })),
  id.map((of) => ({ says: `outline ${of}`, on: (store: Store) => store.outline(of) })),
  taskId.map((task) => ({ says: `deleteTask ${task}`, on: (store: Store) => store.deleteTask(task) })),
  fc.constant('restart' as const),
);

async function retainAll(store: Store, endedBefore: number): Promise<readonly string[]> {
  const kept = { maxBytes: Number.MAX_SAFE_INTEGER, now: 0, unusedForMs: Number.MAX_SAFE_INTEGER };
  const deleted: string[] = [];
  for (;;) {
    const { deletedExecutions, more } = await store.retain({ ...kept, endedBefore });
    deleted.push(...deletedExecutions.map((gone) => gone.executionId));
    if (!more) return deleted.toSorted();
  }
}

/** Everything that can be read of one key, one id, one name. */
async function overview(store: Store): Promise<unknown> {
  const ids = [1, 2, 3, 4, 5].map(executionId);
  return {
    records: await Promise.all(ids.map((one) => store.execution(one))),
    outlines: await Promise.all(ids.map((one) => store.outline(one))),
    inputs: await Promise.all(ids.map((one) => store.input(one))),
    claims: await Promise.all(['k1', 'k2', 'k3'].map((one) => store.executionByInvocation('default', one))),
    named: await Promise.all(['a', 'b', 'c'].map((one) => store.taskByName('default', one))),
    tasks: await store.tasks('default', '', 10),
    byId: await Promise.all(['task_1', 'task_2'].map((one) => store.taskById(one))),
    revision: await store.taskRevision('task_1', 2),
  };
}

/** Comparable and short: objects with their keys in one order, bytes as their digest. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    return `${value.constructor.name} ${value.byteLength} ${createHash('sha256').update(value).digest('hex')}`;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, part]) => [name, plain(part)]));
}

test('the memory store and the embedded one answer alike to any sequence of calls and restarts', async () => {
  const run = fc.asyncProperty(fc.array(step, { maxLength: 25, size: 'max' }), async (steps) => {
    const dataDir = await temporaryFolder();
    const memory = createMemoryStore();
    let sqlite = await openSqliteStore({ dataDir, reserveBytes: 4096 });
    try {
      for (const one of steps) {
        if (one === 'restart') {
          // What is staged does not outlive the store.
          for (const staged of [1, 2, 3, 4, 5].map(executionId)) await memory.unstage(staged);
          await sqlite.close();
          sqlite = await openSqliteStore({ dataDir, reserveBytes: 4096 });
          continue;
        }
        expect(plain(await one.on(sqlite)), one.says).toEqual(plain(await one.on(memory)));
      }
      expect(plain(await overview(sqlite))).toEqual(plain(await overview(memory)));
    } finally {
      await sqlite.close();
    }
  });
  await fc.assert(run, { numRuns: 60, endOnFailure: true });
}, 180_000);
