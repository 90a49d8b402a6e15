/**
 * The quarantines of a cluster: one node judges what fails on any of them, and all know what came of it.
 *
 * attempt ─► its node says how it ended ─► the order that judges ─► row of the store ─► all nodes
 *
 * 1. The order that judges is the dispatcher's, or that of the slots of a node that is alone. It alone writes rows; a
 *    reset, on whichever node, deletes them.
 * 2. Whoever judges next begins with the rows. What had failed of a task that was not quarantined is forgotten then.
 * 3. Times in rows are of the wall clock.
 */
import type { Clock } from '../../../domain/clock.ts';
import type { QuarantineUse } from '../../../domain/scheduling/gate.ts';
import { forgottenAfterMs, type QuarantineState } from '../../../domain/scheduling/quarantine-gate.ts';
import type { Store } from '../../../stores/store.ts';
import type { Slots } from '../../queue/slots.ts';

const kind = 'quarantine';
/** Rows that are read at once. */
const pageSize = 1000;
/** What could not be written is written again after so many milliseconds. */
const againMs = 500;

type JudgingSlots = Pick<Slots, 'quarantineState' | 'putQuarantine' | 'quarantines'>;

interface Row {
  readonly use: QuarantineUse;
  readonly state: QuarantineState;
}

export interface SharedQuarantinesHost {
  readonly store: Pick<Store, 'saveRows' | 'row' | 'rows'>;
  readonly clock: Pick<Clock, 'setTimer'>;
  /** The wall clock, as all nodes count. */
  now(): number;
  /** Resolves when all nodes that live have seen what this one has changed. Rejects with StoreError. */
  settled(): Promise<void>;
  /** Of this node; they are told where they do not judge. */
  readonly slots: JudgingSlots;
  /** Those that judge, where they are on this node. */
  judge(): JudgingSlots | undefined;
  /** The order that judges is to forget what has failed of a task. */
  forget(taskId: string): Promise<void>;
  /** A task is quarantined now, or is not any more, as this node has judged. */
  changed(use: QuarantineUse): void;
  failed(error: unknown): void;
}

export class SharedQuarantines {
  readonly #host: SharedQuarantinesHost;
  /** Those that the store has, as far as this node knows. */
  readonly #known = new Map<string, QuarantineUse>();
  readonly #toWrite = new Map<string, QuarantineUse>();
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor(host: SharedQuarantinesHost) {
    this.#host = host;
  }

  /** Begins with what the store has. Rejects with StoreError. */
  async open(slots: JudgingSlots): Promise<void> {
    await this.#writing;
    const old: Row[] = [];
    for (const row of await this.#rows()) {
      const state = this.#fromNow(row.state);
      if (state.probeAt + forgottenAfterMs < 0) old.push(row);
      else {
        this.#known.set(row.use.meter, row.use);
        slots.putQuarantine(row.use, state);
      }
    }
    await this.#delete(old);
  }

  close(): void {
    this.#closed = true;
  }

  /** An order has judged. */
  judged(slots: JudgingSlots, use: QuarantineUse): void {
    if (slots !== this.#host.judge()) return;
    this.#toWrite.set(use.meter, use);
    this.#startWriting();
  }

  #startWriting(): void {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
      if (this.#toWrite.size > 0 && !this.#closed) this.#startWriting();
    });
  }

  /** Reads one that another node has changed, or all of them. Rejects with StoreError. */
  async reload(key?: string): Promise<void> {
    const { store } = this.#host;
    if (key !== undefined) {
      const row = await store.row({ kind, tenant: '', key });
      this.#apply(key, row === undefined ? undefined : (JSON.parse(row.value) as Row));
      return;
    }
    const rows = new Map((await this.#rows()).map((row) => [row.use.meter, row]));
    const known = [...this.#known.keys(), ...this.#host.slots.quarantines().map(({ meter }) => meter)];
    for (const meter of new Set(known)) if (!rows.has(meter)) this.#apply(meter, undefined);
    for (const [meter, row] of rows) this.#apply(meter, row);
  }

  /** Forgets all failures of a task, on all nodes. Says whether it was quarantined. Rejects with StoreError. */
  async reset(taskId: string): Promise<boolean> {
    const { settled, forget } = this.#host;
    await this.#writing;
    await forget(taskId);
    const rows = (await this.#rows()).filter(({ use }) => taskOf(use) === taskId);
    if (rows.length === 0) return false;
    await this.#delete(rows);
    for (const { use } of rows) this.#apply(use.meter, undefined);
    await settled();
    return true;
  }

  #apply(meter: string, row: Row | undefined): void {
    const { slots, judge } = this.#host;
    const judging = judge();
    const isIt = (use: QuarantineUse) => use.meter === meter;
    const use = row?.use ?? this.#known.get(meter) ?? slots.quarantines().find(isIt);
    if (use === undefined) return;
    const state = row === undefined ? undefined : this.#fromNow(row.state);
    if (slots !== judging) slots.putQuarantine(use, state);
    // It wrote the row itself; one that it wrote and that is gone was reset.
    if (row === undefined && this.#known.delete(meter)) {
      if (judging === undefined) return;
      if (judging.quarantineState(use) !== undefined) judging.putQuarantine(use, undefined);
      this.#host.changed(use);
    } else if (row !== undefined && judging === undefined) this.#known.set(meter, use);
  }

  async #write(): Promise<void> {
    // All of one turn together.
    await new Promise<void>((resolve) => void setImmediate(resolve));
    const { store, judge, changed, failed, clock } = this.#host;
    while (this.#toWrite.size > 0 && !this.#closed) {
      const judging = judge();
      const uses = [...this.#toWrite.values()];
      this.#toWrite.clear();
      if (judging === undefined) return;
      const states = uses.map((use) => ({ use, state: judging.quarantineState(use) }));
      try {
        await store.saveRows(states.map(({ use, state }) => this.#rowOf(use, state)));
      } catch (error) {
        failed(error);
        for (const use of uses) if (!this.#toWrite.has(use.meter)) this.#toWrite.set(use.meter, use);
        await new Promise<void>((resolve) => void clock.setTimer(againMs, resolve));
        continue;
      }
      for (const { use, state } of states) {
        const was = this.#known.has(use.meter);
        if (state === undefined) this.#known.delete(use.meter);
        else this.#known.set(use.meter, use);
        if (was !== (state !== undefined)) changed(use);
      }
    }
  }

  async #delete(rows: readonly Row[]): Promise<void> {
    const gone = rows.map(({ use }) => ({ kind, tenant: '', key: use.meter, deleted: true as const }));
    if (gone.length > 0) await this.#host.store.saveRows(gone);
  }

  #rowOf(use: QuarantineUse, state: QuarantineState | undefined) {
    const id = { kind, tenant: '', key: use.meter };
    if (state === undefined) return { ...id, deleted: true as const };
    return { ...id, value: JSON.stringify({ use, state: shifted(state, this.#host.now()) }) };
  }

  async #rows(): Promise<Row[]> {
    const rows: Row[] = [];
    for (let after: string | undefined; ; ) {
      const page = await this.#host.store.rows({
        ...{ kind, tenant: '', limit: pageSize },
        ...(after !== undefined && { after }),
      });
      rows.push(...page.map(({ value }) => JSON.parse(value) as Row));
      after = page.at(-1)?.key;
      if (page.length < pageSize) return rows;
    }
  }

  #fromNow(state: QuarantineState): QuarantineState {
    return shifted(state, -this.#host.now());
  }
}

/** Whose quarantine it is. */
export function taskOf({ rule }: QuarantineUse): string {
  return rule.slice(0, rule.indexOf('/'));
}

function shifted(state: QuarantineState, ms: number): QuarantineState {
  return { ...state, since: Math.round(state.since + ms), probeAt: Math.round(state.probeAt + ms) };
}
