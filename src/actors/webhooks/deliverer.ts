/**
 * Tells of ends, each at least once: a delivery is a row that was written with the end, and it is tried until its
 * receiver has taken it or a day is over. What was tried when the node died is tried again with the same id.
 *
 * commit of an end ─► observer ─► lanes ─► send ─► row
 *                      store ──► (what is due soon, at the start and from time to time)
 */
import type { Clock, Timer } from '../../domain/clock.ts';
import { type Duty, ownDuty } from '../../domain/duty.ts';
import type { NewEvent } from '../../domain/event.ts';
import type { ExecutionRecord } from '../../domain/execution.ts';
import type { StoreObserver } from '../../domain/node-feed.ts';
import type { DuePlace, SideRowChange } from '../../domain/side-row.ts';
import {
  type Deliveries,
  type Delivery,
  type DeliveryCounts,
  type DeliveryQuery,
  deliveriesOf,
  deliveryKind,
  deliveryOf,
  deliveryPrefix,
  deliveryRow,
  hostOf,
  redriven,
  type Sent,
  triedOnce,
} from '../../domain/webhook.ts';
import type { Store } from '../../stores/store.ts';
import { type Due, type LaneBounds, Lanes } from './lanes.ts';

export interface DelivererHost {
  readonly clock: Clock;
  readonly store: Pick<Store, 'dueRows' | 'saveRows' | 'row' | 'rows'>;
  /** Tells it once. Never rejects. */
  send(delivery: Delivery, signal: AbortSignal): Promise<Sent>;
  /** 0 to 1; spreads tries. */
  random(): number;
  /** The store could not be read or written. */
  failed(error: unknown): void;
  /** Of one that will not be tried any more. */
  died(delivery: Delivery): void;
  /** Telling them; by default this node's. */
  readonly duty?: Duty;
  readonly bounds?: Partial<LaneBounds>;
}

const bounds: LaneBounds = {
  ...{ running: 64, perTenant: 16, perHost: 8 },
  ...{ remembered: 50_000, perLane: 5000, lanes: 1000 },
};
/** How far the store is looked into ahead, and how often. */
const lookEveryMs = 60_000;
/** The same where something was left there, or could not be read or written. */
const lookAgainMs = 5000;
/** What one look reads, and how soon the next goes on where it ended: a store full of them must not cost all the time. */
const mostLookedAt = 2500;
const lookOnMs = 1000;
const rowsAtOnce = 500;

export class Deliverer implements Deliveries, StoreObserver {
  readonly #host: DelivererHost;
  readonly #lanes: Lanes;
  readonly #closing = new AbortController();
  #timer: Timer | undefined;
  #nextLook: { readonly timer: Timer; readonly at: number } | undefined;
  #isLooking = false;
  /** Where the next look goes on; undefined for the beginning. */
  #place: DuePlace | undefined;
  #isPumping = false;
  #saving: SideRowChange[] = [];
  #saved: Promise<void> | undefined;
  readonly #counts = { delivered: 0, failed: 0, dead: 0 };

  constructor(host: DelivererHost) {
    this.#host = host;
    this.#lanes = new Lanes({ ...bounds, ...host.bounds });
  }

  get counts(): DeliveryCounts {
    const oldest = this.#lanes.oldestAt();
    const lagMs = oldest === undefined ? 0 : Math.max(0, this.#host.clock.now() - oldest);
    return { ...this.#counts, waiting: this.#lanes.size, lagMs };
  }

  /** What an earlier run of the node has left is told from now on. */
  open(): void {
    const duty = this.#duty;
    if (duty.isMine()) void this.#look();
    let wasMine = duty.isMine();
    duty.onChange(() => {
      const isNew = duty.isMine() && !wasMine;
      wasMine = duty.isMine();
      if (isNew) void this.#look();
      else if (wasMine) void this.#lookNow();
    });
  }

  get #duty(): Duty {
    return this.#host.duty ?? ownDuty;
  }

  /** Other nodes have ended what is to be told of. */
  async #lookNow(): Promise<void> {
    const { store, clock, failed } = this.#host;
    try {
      const rows = await store.dueRows(deliveryKind, clock.now(), rowsAtOnce);
      for (const delivery of rows.map(deliveryOf)) if (delivery.state === 'pending') this.#add(delivery);
      this.#pumpSoon();
    } catch (error) {
      failed(error);
    }
  }

  /** An end is durable, and with it who is to be told. */
  committed(record: ExecutionRecord, events: readonly NewEvent[]): void {
    if (record.onEnd === undefined || !this.#duty.isMine() || events.at(-1)?.kind !== 'result') return;
    for (const delivery of deliveriesOf(record)) this.#add(delivery);
    this.#pumpSoon();
  }

  async list({ tenant, executionId, after, limit }: DeliveryQuery): Promise<Delivery[]> {
    const prefix = executionId === undefined ? undefined : deliveryPrefix(executionId);
    const from = prefix !== undefined && after < prefix ? prefix : after;
    const rows = await this.#host.store.rows({
      ...{ kind: deliveryKind, limit },
      ...(tenant !== undefined && { tenant, after: from }),
      // Behind all numbers.
      ...(tenant !== undefined && prefix !== undefined && { before: `${prefix}~` }),
    });
    return rows.map(deliveryOf);
  }

  async get(tenant: string, id: string): Promise<Delivery | undefined> {
    const row = await this.#host.store.row({ kind: deliveryKind, tenant, key: id });
    return row && deliveryOf(row);
  }

  async redrive(deliveries: readonly Delivery[]): Promise<void> {
    const now = Math.round(this.#host.clock.now());
    // One that is under way says itself what comes next.
    const anew = deliveries
      .filter(({ id }) => !this.#lanes.isUnderWay(id))
      .map((each) => redriven(each, now));
    await this.#host.store.saveRows(anew.map(deliveryRow));
    if (!this.#duty.isMine()) return;
    for (const delivery of anew) {
      // It may have waited for its next try.
      this.#lanes.drop(delivery.id);
      this.#add(delivery);
    }
    this.#pumpSoon();
  }

  /** What is under way is ended, and told again by the next run of the node. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#timer?.cancel();
    this.#nextLook?.timer.cancel();
    await this.#saved;
  }

  #add({ id, tenant, url, nextAt }: Delivery): void {
    const parsed = URL.parse(url);
    if (nextAt === undefined || parsed === null) return;
    // What is due later is found by then, and takes no place of what is due now.
    if (nextAt > this.#host.clock.now() + lookEveryMs) this.#lookIn(lookEveryMs);
    else this.#lanes.add({ id, tenant, url, origin: parsed.host, host: hostOf(parsed), at: nextAt });
  }

  /** Once for all that happens in this turn. */
  #pumpSoon(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    queueMicrotask(() => {
      this.#isPumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#closing.signal.aborted) return;
    const now = this.#host.clock.now();
    for (let next = this.#lanes.take(now); next !== undefined; next = this.#lanes.take(now)) {
      void this.#try(next);
    }
    this.#timer?.cancel();
    const at = this.#lanes.nextAt();
    this.#timer =
      at === undefined ? undefined : this.#host.clock.setTimer(Math.max(1, at - now), () => this.#pump());
  }

  async #try(due: Due): Promise<void> {
    let after: Delivery | undefined;
    try {
      after = await this.#tryOnce(due);
    } catch (error) {
      this.#host.failed(error);
      this.#lanes.left = true;
    }
    this.#lanes.done(due);
    if (after?.state === 'pending') this.#add(after);
    if (this.#lanes.left) this.#lookIn(lookAgainMs);
    this.#pumpSoon();
  }

  /** As it is then; undefined where there is nothing to be told any more. Rejects where the store does. */
  async #tryOnce(due: Due): Promise<Delivery | undefined> {
    const { clock, random, send } = this.#host;
    const delivery = await this.get(due.tenant, due.id);
    if (delivery?.state !== 'pending') return undefined;
    const sent = await send(delivery, this.#closing.signal);
    if (this.#closing.signal.aborted && sent.kind === 'failed') return undefined;
    const now = Math.round(clock.now());
    const after = triedOnce(delivery, sent, now, random());
    if (sent.kind === 'failed' && sent.retryAfterMs !== undefined) {
      this.#lanes.pause(due, now + sent.retryAfterMs);
    }
    this.#counts[sent.kind] += 1;
    if (after.state === 'dead') {
      this.#counts.dead += 1;
      this.#host.died(after);
    }
    await this.#save(deliveryRow(after));
    return after;
  }

  /** Those of one turn of the event loop share a write. */
  #save(row: SideRowChange): Promise<void> {
    this.#saving.push(row);
    this.#saved ??= new Promise<void>((resolve) => void setImmediate(resolve)).then(() => {
      const rows = this.#saving;
      this.#saving = [];
      this.#saved = undefined;
      return this.#host.store.saveRows(rows);
    });
    return this.#saved;
  }

  /** No later than so long from now. */
  #lookIn(ms: number): void {
    if (this.#closing.signal.aborted || this.#isLooking) return;
    const { clock } = this.#host;
    const at = clock.monotonic() + ms;
    if (this.#nextLook !== undefined && this.#nextLook.at <= at) return;
    this.#nextLook?.timer.cancel();
    this.#nextLook = { at, timer: clock.setTimer(ms, () => void this.#look()) };
  }

  /** Reads some of what is due soon, from where the look before ended, and takes away what was kept for long enough. */
  async #look(): Promise<void> {
    const { failed } = this.#host;
    if (this.#closing.signal.aborted || this.#isLooking || !this.#duty.isMine()) return;
    this.#nextLook?.timer.cancel();
    this.#nextLook = undefined;
    this.#isLooking = true;
    if (this.#place === undefined) this.#lanes.left = false;
    try {
      for (let read = 0; read < mostLookedAt && !this.#closing.signal.aborted; read += rowsAtOnce) {
        this.#place = await this.#lookAtPage(this.#place);
        this.#pump();
        if (this.#place === undefined) break;
        // Others have their turn.
        await new Promise<void>((resolve) => void setImmediate(resolve));
      }
    } catch (error) {
      failed(error);
      this.#lanes.left = true;
    }
    this.#isLooking = false;
    if (this.#place !== undefined) this.#lookIn(lookOnMs);
    else this.#lookIn(this.#lanes.left ? lookAgainMs : lookEveryMs);
  }

  /** Where the next page begins; undefined where this was the last. */
  async #lookAtPage(after: DuePlace | undefined): Promise<DuePlace | undefined> {
    const { store, clock } = this.#host;
    const now = clock.now();
    const page = await store.dueRows(deliveryKind, now + lookEveryMs, rowsAtOnce, after);
    const deliveries = page.map(deliveryOf);
    for (const delivery of deliveries) if (delivery.state === 'pending') this.#add(delivery);
    const old = page.filter(
      (row, index) => deliveries[index]?.state !== 'pending' && (row.dueAt ?? now) <= now,
    );
    if (old.length > 0) {
      const changes = old.map(({ kind, tenant, key }) => ({ kind, tenant, key, deleted: true as const }));
      await store.saveRows(changes);
    }
    const last = page.at(-1);
    if (page.length < rowsAtOnce || last?.dueAt === undefined) return undefined;
    const { dueAt, tenant, key } = last;
    return { dueAt, tenant, key };
  }
}
