/** The shorter commit function against the one that knows everything. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CommitEntry, Store } from '../../src/stores/store.ts';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import { a, all, appending, b, creating } from './contract/entries.ts';
import { openOn } from './postgres-store.ts';
import { bytesOf, chunk, executionId, invocationOf, recordOf, result, transition } from './samples.ts';

/** Of a text that means something to an array, a row, or neither. */
const text = fc.oneof(
  fc.constantFrom('', 'NULL', 'a,b', '(', ')', '"', '\\', '\\"', '{}', 'é\n', '\0', '\ud800', ' '),
  fc.string({ unit: 'binary', maxLength: 6 }),
);
/** Executions of one run. */
const numbers = 4;
const entry = fc.record({
  number: fc.integer({ min: 1, max: numbers }),
  /** Where the writer thinks that the log ends, beside where it does. */
  stale: fc.constantFrom(0, 0, 0, 0, 1),
  events: fc.integer({ min: 0, max: 3 }),
  output: fc.option(fc.nat({ max: 40 }), { nil: undefined }),
  status: fc.option(fc.constantFrom('pending' as const, 'running' as const, 'completed' as const), {
    nil: undefined,
  }),
  line: fc.option(text, { nil: undefined }),
  key: fc.option(text, { nil: undefined }),
  tenant: fc.option(fc.constantFrom('red', 'blue'), { nil: undefined }),
  input: fc.option(text, { nil: undefined }),
  label: fc.option(fc.constantFrom('x', 'y "z"'), { nil: undefined }),
});
type Sketch = typeof entry extends fc.Arbitrary<infer T> ? T : never;

async function entryOf(sketch: Sketch, first: number, store: Store): Promise<CommitEntry> {
  const { number, stale, events, output, status, line, key, tenant, input, label } = sketch;
  const id = executionId(first + number);
  const before = ((await store.events(id, all)).at(-1)?.sequence ?? 0) + stale;
  const count = before === 0 ? Math.max(1, events) : events;
  const isNew = before === 0;
  const record = recordOf(id, status ?? 'running', {
    lastSequence: before + count,
    ...(tenant !== undefined && { tenant }),
    ...(status === 'completed' && { completedAt: 7, outcome: { status: 'completed', exitCode: 0 } as never }),
    ...(label !== undefined && isNew && { labels: { team: label } }),
  });
  return {
    executionId: id,
    expectedLastSequence: before,
    events: Array.from({ length: count }, (_, index) =>
      output !== undefined && index === 0
        ? chunk(before + 1, bytesOf(output))
        : transition(before + index + 1, 'a', 'b'),
    ),
    ...((isNew || status !== undefined) && { record }),
    ...(isNew && key !== undefined && { claimInvocationId: key }),
    ...(isNew && input !== undefined && { input: invocationOf({ contentType: input }) }),
    ...(line !== undefined &&
      line !== '' && { waiting: { line, since: 3, wakesAt: number > 2 ? 9 : 1 / 0 } }),
  };
}

describeWhere([postgres()], 'commits that hang on nothing else', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  const tables = {
    executions: 'execution_id',
    segments: 'execution_id, first_sequence',
    inputs: 'execution_id',
    claims: 'tenant, invocation_id',
    execution_labels: 'tenant, key, value, execution_id',
    fences: 'incarnation',
  };
  /** All that commits write. */
  async function written(name: string): Promise<Record<string, unknown>> {
    const found: Record<string, unknown> = {};
    for (const [table, order] of Object.entries(tables)) {
      found[table] = await server.query(`SELECT * FROM spear.${table} ORDER BY ${order}`, name);
    }
    return found;
  }

  test('need no other function', async () => {
    const { url, name } = await server.database();
    const { store } = await openOn(url);
    await server.query(
      `DO $$ BEGIN EXECUTE 'DROP FUNCTION ' || (SELECT oid::regprocedure FROM pg_proc WHERE proname = 'commit_entries'); END $$`,
      name,
    );
    const [one, other] = [{ ...creating(a, 'running'), claimInvocationId: 'key' }, creating(b)];
    expect(await store.commit([one, { ...other, input: invocationOf() }])).toEqual([
      { ok: true, position: 1 },
      { ok: true, position: 4 },
    ]);
    const ending = { ...appending(a, 3, [result(4)]), record: recordOf(a, 'completed') };
    expect(await store.commit([ending])).toEqual([{ ok: true, position: 7 }]);
    await expect(store.commit([ending])).rejects.toThrow(/commit_entries/);
  });

  test('are written and answered as by the function that knows everything', async () => {
    const [short, long] = [await server.database(), await server.database()];
    const [shorter, longer] = [(await openOn(short.url)).store, (await openOn(long.url)).store];
    await server.query(
      `DO $$ BEGIN EXECUTE 'DROP FUNCTION ' || (SELECT oid::regprocedure FROM pg_proc WHERE proname = 'commit_plain');
        CREATE FUNCTION spear.commit_plain(bigint, bigint, bigint, spear.plain_entry[], spear.plain_entry[],
          spear.plain_segment[], spear.plain_input[], spear.plain_claim[], bytea) RETURNS boolean
          LANGUAGE sql AS 'SELECT false'; END $$`,
      long.name,
    );
    let first = 0;
    const commits = fc.array(fc.array(entry, { minLength: 1, maxLength: 3 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(commits, async (run) => {
        first += numbers;
        for (const sketches of run) {
          const entries: CommitEntry[] = [];
          for (const sketch of sketches) entries.push(await entryOf(sketch, first, shorter));
          expect(await shorter.commit(entries)).toEqual(await longer.commit(entries));
        }
      }),
      { numRuns: 60 },
    );
    expect(await written(short.name)).toEqual(await written(long.name));
  });
});
