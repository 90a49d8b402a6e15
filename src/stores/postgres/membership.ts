/** A node as one of those that use a database: its incarnation, the lease that says that it lives, and what others left. */
import type { Clock, Timer } from '../../domain/clock.ts';
import type { ExecutionRecord } from '../../domain/execution.ts';
import type {
  ClaimedExecution,
  ClaimedLine,
  Membership,
  NamedLease,
  NodeFacts,
  Orphan,
  Peer,
  WriterPositions,
} from '../membership.ts';
import { Fenced, StoreError } from '../store.ts';
import type { Readers } from './engine/readers.ts';
import type { Row, Session } from './engine/session.ts';
import { Logs } from './read/logs.ts';
import { recordOf } from './read/records.ts';
import { plainArray, restored, textArray } from './write/parameters.ts';

/** How long a node counts as alive after its last renewal, in milliseconds, by the clock of the engine. */
export const leaseMs = 3000;
/** How often it is renewed, … */
const renewMs = 750;
/** … and how long that may take: a statement that hangs is not to be waited for. */
export const renewalMs = 700;
/** So long before others may take it for dead, a node does nothing more that could be done twice. */
const marginMs = 300;
/** Who fences others has renewed its own lease for so long: an engine that was away is no sign that they are dead. */
const steadyMs = leaseMs + 500;
/** How often leases of others are looked at, and how soon again when one is about to be over. */
const lookMs = 250;
const leastLookMs = 10;
/** Logs that are read together. */
const logsAtOnce = 100;
/** What nodes say to each other when one may not write any more. */
const goneSaying = JSON.stringify({ kind: 'gone' });

type Timers = Pick<Clock, 'monotonic' | 'setTimer'>;

export interface MembershipOptions {
  /** For renewals alone, so that no slow statement comes before one. */
  readonly renewals: Session;
  /** For what becomes of others. */
  readonly takeovers: Session;
  readonly readers: Readers;
  readonly clock: Timers;
  readonly nodeId: string;
  readonly facts: NodeFacts;
  /** What this node writes from now on has later positions than that. */
  readonly advance: (position: number) => void;
  /** Hears once that other nodes have taken over. */
  readonly lost: (error: Fenced) => void;
  /** Hears which nodes this one has fenced. */
  readonly fenced: (names: readonly string[]) => void;
}

/** This run of a node, which no other run shares. */
export interface Incarnation {
  readonly incarnation: number;
  /** The first position that no event of it has. */
  readonly position: number;
}

/**
 * Begins an incarnation. What the same node was before may no longer write from then on, and what that had is this one's:
 * it has the lock of its data folder. Rejects with StoreError where another node that lives has its name.
 */
export async function register(
  session: Session,
  nodeId: string,
  { name, address, labels, capacity }: NodeFacts,
): Promise<Incarnation> {
  const values = [nodeId, name, address, JSON.stringify(labels), JSON.stringify(capacity), leaseMs];
  const [row] = await session.read('cannot register with the store', {
    text: 'SELECT me, first_position, rival FROM join_cluster($1, $2, $3, $4, $5, $6)',
    values,
  });
  if (typeof row?.me === 'number') return { incarnation: row.me, position: Number(row.first_position) };
  throw new StoreError(
    `another node of this database, ${String(row?.rival)}, is alive and has the name ${name}: give each its own with --node-name`,
  );
}

export class PostgresMembership implements Membership {
  readonly incarnation: number;
  readonly name: string;
  readonly counts = { failedRenewals: 0, fenced: 0 };
  readonly #options: MembershipOptions;
  readonly #listeners = new Set<() => void>();
  readonly #goneListeners = new Set<() => void>();
  readonly #leases = new Map<string, { epoch: number | undefined }>();
  #peers: readonly Peer[];
  #load: Peer['load'] = {};
  /** By when others may take this node for dead, less the margin; of the clock of this machine. */
  #deadline: number;
  /** Since when no renewal has failed. */
  #steadySince: number | undefined;
  /** Undefined while a renewal is under way. */
  #renewTimer: Timer | undefined;
  #wasTold = false;
  #isOver = false;
  #hasLeft = false;

  /** @param registeredAt when the registration was sent, of the monotonic clock */
  constructor(incarnation: number, registeredAt: number, options: MembershipOptions) {
    this.incarnation = incarnation;
    this.#options = options;
    this.#deadline = registeredAt + leaseMs - marginMs;
    const { nodeId, facts } = options;
    this.name = facts.name;
    this.#peers = [{ ...facts, incarnation, nodeId, load: {}, alive: true }];
  }

  /** Renews and looks at others until it is over. */
  keep(): void {
    void this.#renew();
    this.#lookLater();
  }

  peers(): readonly Peer[] {
    return this.#peers;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  onGone(listener: () => void): () => void {
    this.#goneListeners.add(listener);
    return () => void this.#goneListeners.delete(listener);
  }

  /** Another node says that one is gone, or may have said so. */
  heardOfGone(): void {
    // What it did for all may be this one's.
    if (this.#renewTimer !== undefined) void this.#renew();
    for (const listener of this.#goneListeners) listener();
  }

  tell(load: Peer['load']): void {
    this.#load = { ...this.#load, ...load };
  }

  mayAct(): boolean {
    return !this.#isOver && this.#options.clock.monotonic() < this.#deadline;
  }

  renewedAt(): number {
    return this.#deadline - (leaseMs - marginMs);
  }

  deadline(): number {
    return this.#deadline;
  }

  lease(name: string): NamedLease {
    let lease = this.#leases.get(name);
    if (lease === undefined) {
      lease = { epoch: undefined };
      this.#leases.set(name, lease);
    }
    return lease;
  }

  async ownerOf(executionId: string): Promise<Peer | undefined> {
    const [row] = await this.#options.readers.read(
      'cannot read who has an execution',
      `SELECT n.incarnation, n.node_id, n.name, n.address, n.labels, n.capacity, n.load,
         n.lease_until >= clock_timestamp() AS alive
       FROM executions x JOIN nodes n ON n.incarnation = x.owner AND n.fenced_at IS NULL
       WHERE x.execution_id = $1 AND x.record IS NOT NULL AND (n.keeps IS NULL OR x.execution_id = ANY (n.keeps))`,
      [executionId],
      'owner-of',
    );
    if (row === undefined) return undefined;
    const { incarnation, node_id, name, address, labels, capacity, load, alive } = row;
    return peerOf([incarnation, node_id, name, address, labels, capacity, load, alive] as StoredPeer);
  }

  async changes(since: WriterPositions, limit: number): ReturnType<Membership['changes']> {
    const rows = await this.#options.readers.read(
      'cannot read what other nodes have written',
      'SELECT writer, execution_id, next FROM changes_of_others($1, $2, $3, $4)',
      [this.incarnation, plainArray([...since.keys()]), plainArray([...since.values()]), limit],
      'changes-of-others',
    );
    const now = new Map<number, number>();
    const executionIds = new Set<string>();
    for (const { writer, execution_id, next } of rows) {
      now.set(Number(writer), Math.max(now.get(Number(writer)) ?? 0, Number(next)));
      if (execution_id !== null) executionIds.add(String(execution_id));
    }
    return { executionIds: [...executionIds], now };
  }

  async orphans(afterId: string, limit: number): Promise<Orphan[]> {
    const rows = await this.#options.takeovers.read('cannot list what has no node', {
      name: 'orphans',
      text: `SELECT x.execution_id, x.record, n.node_id, n.planned,
           coalesce(extract(epoch FROM clock_timestamp() - n.fenced_at)::float8 * 1000, 0) AS since
         FROM nodes n CROSS JOIN LATERAL (
           SELECT y.execution_id, CASE WHEN y.line IS NULL AND y.status = 'running' THEN y.record END AS record
           FROM executions y
           WHERE y.owner = n.incarnation AND y.status IN ('pending', 'running') AND y.execution_id > $1
             AND (n.fenced_at IS NOT NULL OR NOT y.execution_id = ANY (n.keeps))
           ORDER BY y.execution_id LIMIT $2
         ) x
         WHERE (n.fenced_at IS NOT NULL OR n.keeps IS NOT NULL AND n.incarnation <> $3)
           AND NOT is_of_another(n.incarnation, $3)
         ORDER BY x.execution_id LIMIT $2`,
      values: [afterId, limit, this.incarnation],
    });
    return rows.map((row) => ({
      executionId: String(row.execution_id),
      ...(row.record !== null && { record: recordOf(row) }),
      nodeId: String(row.node_id),
      planned: row.planned === true,
      since: Number(row.since),
    }));
  }

  async claim(executionIds: readonly string[]): ReturnType<Membership['claim']> {
    const rows = await this.#options.takeovers.read('cannot take over executions', {
      name: 'claim',
      text: 'SELECT record, line, waiting, since, wakes_at, position FROM take_orphans($1, $2)',
      values: [this.incarnation, textArray(executionIds)],
    });
    for (const { position } of rows) this.#options.advance(Number(position));
    const records = rows.filter(({ record }) => record !== null).map(recordOf);
    const lines = rows.filter(({ line }) => line !== null).map(lineOf);
    const queued = rows.find(({ record, line }) => record === null && line === null)?.waiting ?? 0;
    return { executions: await this.#withOutlines(records), lines, queued: Number(queued) };
  }

  /** What cannot be read together is left to be read one by one. */
  async #withOutlines(records: readonly ExecutionRecord[]): Promise<ClaimedExecution[]> {
    const logs = new Logs(this.#options.readers);
    const parts: ExecutionRecord[][] = [];
    for (let from = 0; from < records.length; from += logsAtOnce)
      parts.push(records.slice(from, from + logsAtOnce));
    const read = parts.map(async (part): Promise<ClaimedExecution[]> => {
      const outlines = await logs.outlines(part.map(({ executionId }) => executionId)).catch(() => undefined);
      return part.map((record) => {
        const outline = outlines?.get(record.executionId);
        return outline === undefined ? { record } : { record, outline };
      });
    });
    return (await Promise.all(read)).flat();
  }

  async claimBatches(): Promise<boolean> {
    const [row] = await this.#options.takeovers.read('cannot take over batches', {
      name: 'claim-batches',
      text: 'SELECT claim_batches($1) AS any',
      values: [this.incarnation],
    });
    return row?.any === true;
  }

  leaving(): void {
    this.#wasTold = true;
  }

  async keepOnly(executionIds: readonly string[]): Promise<void> {
    await this.#options.takeovers.read('cannot give executions away', {
      name: 'keep-only',
      text: 'SELECT keep_only($1, $2)',
      values: [this.incarnation, textArray(executionIds)],
    });
  }

  async nameHeir(incarnation: number): Promise<boolean> {
    const [row] = await this.#options.takeovers.read('cannot give executions to a node', {
      name: 'name-heir',
      text: 'SELECT name_heir($1, $2) AS named',
      values: [this.incarnation, incarnation],
    });
    return row?.named === true;
  }

  async handOver(): Promise<void> {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#isOver = true;
    await this.#options.renewals
      .run({
        text: `SELECT leave_cluster($1, $2), pg_notify('spear', $3)`,
        values: [this.incarnation, this.#wasTold, goneSaying],
      })
      // Then the lease ends by itself.
      .catch(() => {});
  }

  /** Gives the right to write back, so that nobody need wait for the end of the lease. */
  async end(): Promise<void> {
    const { renewals, takeovers } = this.#options;
    await this.handOver();
    await Promise.all([renewals.close(), takeovers.close()]);
  }

  async #renew(): Promise<void> {
    this.#renewTimer?.cancel();
    this.#renewTimer = undefined;
    if (this.#isOver) return;
    const { renewals, clock } = this.#options;
    const sentAt = clock.monotonic();
    try {
      const values = [
        this.incarnation,
        leaseMs,
        JSON.stringify(this.#load),
        textArray([...this.#leases.keys()]),
      ];
      const [row] = await renewals.run({
        name: 'renew',
        text: 'SELECT renew_node($1, $2, $3, $4) AS told',
        values,
      });
      if (typeof row?.told !== 'string') {
        this.#fenced();
        return;
      }
      // Between two deadlines others may have taken it for dead.
      if (sentAt > this.#deadline) this.#steadySince = undefined;
      this.#steadySince ??= sentAt;
      this.#deadline = Math.max(this.#deadline, sentAt + leaseMs - marginMs);
      this.#heard(JSON.parse(row.told) as Told);
    } catch {
      // An engine that does not answer says nothing of the right to write; the commits tell of it.
      this.#steadySince = undefined;
      this.counts.failedRenewals += 1;
    }
    const inMs = Math.max(0, sentAt + renewMs - clock.monotonic());
    this.#renewTimer = clock.setTimer(inMs, () => void this.#renew());
  }

  #heard({ peers, leases }: Told): void {
    this.#peers = peers.map(peerOf);
    const held = new Map(leases);
    for (const [name, lease] of this.#leases) lease.epoch = held.get(name);
    for (const listener of this.#listeners) listener();
  }

  #fenced(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const lease of this.#leases.values()) lease.epoch = undefined;
    this.#options.lost(new Fenced('other nodes have taken over what this one had'));
  }

  #lookLater(ms = lookMs): void {
    this.#options.clock.setTimer(ms, () => void this.#look());
  }

  async #look(): Promise<void> {
    if (this.#isOver) return;
    const since = this.#steadySince;
    const { clock } = this.#options;
    const mayFence = since !== undefined && this.mayAct() && clock.monotonic() - since >= steadyMs;
    // Whoever may not write any more hears of it from its own lease.
    this.#lookLater(mayFence ? await this.#fence().catch(() => lookMs) : lookMs);
  }

  /** Resolves with when to look again: as soon as the next lease is over, where nobody renews it. */
  async #fence(): Promise<number> {
    const { takeovers, readers, fenced } = this.#options;
    const [row] = await takeovers.run({
      name: 'fence',
      text: `SELECT fence_expired($1) AS gone, (
          SELECT min(extract(epoch FROM n.lease_until - clock_timestamp()))::float8 * 1000 FROM nodes n
          WHERE n.fenced_at IS NULL AND n.incarnation <> $1
        ) AS next`,
      values: [this.incarnation],
    });
    const gone = JSON.parse(String(row?.gone ?? '[]')) as readonly (readonly [number, string])[];
    this.counts.fenced += gone.length;
    if (gone.length > 0 && !this.#isOver) {
      this.#peers = this.#peers.filter(({ incarnation }) => !gone.some(([other]) => other === incarnation));
      fenced(gone.map(([, name]) => name));
      for (const listener of this.#listeners) listener();
      this.heardOfGone();
      // Who misses it looks from time to time.
      readers
        .read('cannot tell the other nodes', 'SELECT pg_notify($1, $2)', ['spear', goneSaying])
        .catch(() => {});
    }
    const next = row?.next === null || row === undefined ? lookMs : Number(row.next);
    return Math.min(lookMs, Math.max(leastLookMs, next));
  }
}

/** Rows of a line that were claimed together. */
function lineOf({ line, waiting, since, wakes_at: wakesAt }: Row): ClaimedLine {
  return {
    line: restored(String(line)),
    count: Number(waiting),
    since: Number(since),
    wakesAt: wakesAt === null ? Number.POSITIVE_INFINITY : Number(wakesAt),
  };
}

type StoredPeer = readonly [number, string, string, string, string, string, string, boolean];

interface Told {
  readonly peers: readonly StoredPeer[];
  readonly leases: readonly (readonly [string, number])[];
}

function peerOf([incarnation, nodeId, name, address, labels, capacity, load, alive]: StoredPeer): Peer {
  return {
    ...{ incarnation, nodeId, name, address, alive },
    labels: JSON.parse(labels) as Peer['labels'],
    capacity: JSON.parse(capacity) as Peer['capacity'],
    load: JSON.parse(load) as Peer['load'],
  };
}
