import type { MeterUse } from '../../domain/scheduling/order-use.ts';
import type { OwnUse } from '../../domain/scheduling/places.ts';
import type { ClusterQueue, ClusterSaying, Grant, HeldExecution, KeyedExecution } from '../cluster-queue.ts';
import type { WaitingExecution } from '../store.ts';
import type { Readers } from './engine/readers.ts';
import { most, recordOf } from './read/records.ts';
import { waitingColumns, waitingOf } from './read/waiting.ts';
import type { Changes } from './write/changes.ts';
import { plainArray, restored, storable, textArray } from './write/parameters.ts';

/** Ids in one saying, which the engine takes up to 8000 bytes of. */
const idsAtOnce = 150;

/** More than one value of a key ever has at once, where nobody means harm. */
const mostKeyed = 1000;

const unowned = 'owner IS NULL AND line IS NOT NULL';

export class PostgresQueue implements ClusterQueue {
  readonly me: number;
  readonly counts = { released: 0, given: 0 };
  readonly #readers: Readers;
  readonly #changes: Changes;
  readonly #advance: (position: number) => void;
  readonly #listeners: ((saying: ClusterSaying | undefined) => void)[] = [];

  /** @param advance what this node writes from now on has later positions than that */
  constructor(readers: Readers, changes: Changes, me: number, advance: (position: number) => void) {
    this.#advance = advance;
    this.#readers = readers;
    this.#changes = changes;
    this.me = me;
  }

  async release(executionIds: readonly string[]): Promise<readonly string[]> {
    const ids = textArray(executionIds);
    const released = textsOf(await this.#changes.call('cannot queue executions', 'release_queued', [ids]));
    this.counts.released += released.length;
    return released;
  }

  async releaseBatch(batchId: string): Promise<void> {
    await this.#changes.call('cannot queue a batch', 'release_batch', [batchId]);
  }

  async claim(executionId: string): Promise<boolean> {
    const what = 'cannot take an execution up';
    const position = await this.#changes.call(what, 'claim_queued', [executionId]);
    if (position === null) return false;
    this.#advance(Number(position));
    return true;
  }

  async lines(): Promise<readonly string[]> {
    const rows = await this.#readers.read('cannot list what waits', 'SELECT unowned_lines() AS line');
    return rows.map(({ line }) => restored(String(line)));
  }

  async waiting(line: string, limit: number): Promise<readonly WaitingExecution[]> {
    const rows = await this.#readers.read(
      'cannot list what waits',
      `SELECT ${waitingColumns} FROM executions WHERE ${unowned} AND line = $1
       ORDER BY waits_since, execution_id LIMIT $2`,
      [storable(line), most(limit)],
    );
    return rows.map(waitingOf);
  }

  async count(limit: number): Promise<number> {
    const [row] = await this.#readers.read(
      'cannot count what waits',
      `SELECT count(*) AS count FROM (SELECT 1 FROM executions WHERE ${unowned} LIMIT $1) found`,
      [most(limit)],
    );
    return Number(row?.count ?? 0);
  }

  async due(now: number, limit: number): Promise<readonly string[]> {
    const rows = await this.#readers.read(
      'cannot list alarms',
      `SELECT execution_id FROM executions WHERE ${unowned} AND wakes_at <= $1
       ORDER BY wakes_at, execution_id LIMIT $2`,
      [now, most(limit)],
    );
    return rows.map((row) => String(row.execution_id));
  }

  async give(grants: readonly Grant[], meters: readonly MeterUse[]): Promise<ReadonlySet<string>> {
    const values = [
      textArray(grants.map(({ executionId }) => executionId)),
      plainArray(grants.map(({ node }) => node)),
      textArray(meters.map(({ meter }) => storable(meter))),
      plainArray(meters.map(({ fullAt }) => fullAt)),
    ];
    const given = textsOf(await this.#changes.call('cannot give executions away', 'give_queued', values));
    this.counts.given += given.length;
    return new Set(given);
  }

  async granted(): Promise<readonly WaitingExecution[]> {
    const rows = await this.#readers.read(
      'cannot list what was given to this node',
      `SELECT ${waitingColumns}, last_position_of(execution_id) AS last_position
       FROM grants g JOIN executions USING (execution_id)
       WHERE g.node = $1 AND owner = $1 AND line IS NOT NULL`,
      [this.me],
    );
    for (const { last_position } of rows) this.#advance(Number(last_position));
    return rows.map(waitingOf);
  }

  async withKey(tenant: string, key: string, value: string): Promise<readonly KeyedExecution[]> {
    const rows = await this.#readers.read(
      'cannot list what shares a key',
      `SELECT x.record, EXISTS (SELECT 1 FROM grants g WHERE g.execution_id = x.execution_id) AS given
       FROM keyed_executions k JOIN executions x USING (execution_id)
       WHERE k.key = key_digest($1::json, $2::json, $3::json) AND x.status IN ('pending', 'running')
       ORDER BY x.execution_id LIMIT $4`,
      [...[tenant, key, value].map((each) => JSON.stringify(each)), mostKeyed],
    );
    return rows.map((row) => ({ record: recordOf(row), isGiven: row.given === true }));
  }

  async strays(limit: number): Promise<readonly string[]> {
    const values = [this.me, limit];
    const rows = await this.#readers.read('cannot look for strays', 'SELECT strays_of($1, $2) AS id', values);
    return rows.map(({ id }) => String(id));
  }

  async grants(): Promise<readonly HeldExecution[]> {
    const rows = await this.#readers.read(
      'cannot list what was given to nodes',
      `SELECT record, node FROM grants JOIN fences ON incarnation = node
       JOIN executions USING (execution_id) WHERE record IS NOT NULL`,
    );
    return rows.map((row) => ({ record: recordOf(row), node: Number(row.node) }));
  }

  async forgetLost(): Promise<void> {
    await this.#changes.call('cannot look for lost nodes', 'forget_lost_grants', []);
  }

  async leave(executionIds: readonly string[], own: OwnUse): Promise<void> {
    for (let from = 0; from === 0 || from < executionIds.length; from += idsAtOnce) {
      const ids = textArray(executionIds.slice(from, from + idsAtOnce));
      await this.#changes.call('cannot say what is free', 'leave_grants', [
        ...[ids, own.slots, own.memoryBytes, own.processors],
      ]);
    }
  }

  async running(): Promise<readonly HeldExecution[]> {
    const rows = await this.#readers.read(
      'cannot list what runs',
      `SELECT record, owner FROM executions JOIN fences ON incarnation = owner
       WHERE status <> 'completed' AND status = 'running' AND line IS NULL`,
    );
    return rows.map((row) => ({ record: recordOf(row), node: Number(row.owner) }));
  }

  async say(saying: ClusterSaying): Promise<void> {
    await this.#readers.read('cannot tell the other nodes', 'SELECT pg_notify($1, $2)', [
      'spear',
      JSON.stringify(saying),
    ]);
  }

  onSaying(heard: (saying: ClusterSaying | undefined) => void): void {
    this.#listeners.push(heard);
  }

  /** Another node has said something, or, with undefined, may have. */
  heard(saying: ClusterSaying | undefined): void {
    for (const listener of this.#listeners) listener(saying);
  }
}

/** An array as the engine writes it: ids have no quotes, commas or spaces. */
function textsOf(answer: unknown): string[] {
  const inside = String(answer ?? '{}').slice(1, -1);
  return inside === '' ? [] : inside.split(',');
}
