/**
 * Decides which finished executions go, and lets them go oldest first: ids are time-ordered, and each of the three
 * walks remembers its place. It runs on the writer's thread, one transaction a step.
 *
 * 1. By age: executions that ended long enough ago.
 * 2. By size: while too many bytes are in use, logs.
 * 3. When there are no logs left, records, and then a tenth more than they must: else every log that comes after would
 *    have to go at once, as the youngest of what can.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  type ExecutionRecord,
  type ExecutionStatus,
  isTerminal,
  keptSince,
} from '../../../domain/execution.ts';
import type { DeletedExecution } from '../../../domain/node-feed.ts';
import { DamagedError } from '../../store.ts';
import { recordColumns } from '../file/checksum.ts';
import { type Row as AnyRow, recordOf } from '../read/row.ts';
import { BatchRows } from '../write/batch-rows.ts';
import { inTransaction } from '../write/transaction.ts';
import { Budget } from './budget.ts';
import type { Removal } from './removal.ts';
import { bytesInUse } from './usage.ts';

export interface Target {
  readonly endedBefore: number;
  readonly maxBytes: number;
  /** Of the files beside the database. */
  readonly fileBytes: number;
}

export interface RetainStep {
  readonly deletedExecutions: readonly DeletedExecution[];
  readonly deletedLogs: number;
  readonly shortened: readonly string[];
  /** Digests of files that the deleted executions named. */
  readonly files: readonly string[];
  readonly more: boolean;
}

type Counted = { -readonly [Key in keyof RetainStep]: RetainStep[Key] } & {
  deletedExecutions: DeletedExecution[];
  shortened: string[];
  files: string[];
};

interface Row extends AnyRow {
  readonly execution_id: string;
  readonly status: ExecutionStatus;
  readonly created_at: number;
}

type Walk = 'age' | 'logs' | 'records';

/** What a walk does about one finished execution: go on to the next, end here, or come back to this one. */
type Verdict = 'next' | 'end' | 'again';

const rowsAtOnce = 256;
/** Of so many walks by age one looks at all executions: about each hour. */
const thoroughEvery = 360;
/** Of the bytes that are allowed, where records have to go. */
const roomShare = 0.9;

export class Retainer {
  readonly #db: DatabaseSync;
  readonly #removal: Removal;
  readonly #batches: BatchRows;
  readonly #page: StatementSync;
  readonly #places: Record<Walk, string> = { age: '', logs: '', records: '' };
  #ageWalks = 0;
  /** No logs are left, and records go until there is room. */
  #needsRoom = false;

  constructor(db: DatabaseSync, removal: Removal) {
    this.#db = db;
    this.#removal = removal;
    this.#batches = new BatchRows(db);
    this.#page = db.prepare(
      `SELECT ${recordColumns}, checksum FROM executions
       WHERE execution_id > ? ORDER BY execution_id LIMIT ${rowsAtOnce}`,
    );
  }

  /** Throws what SQLite throws, with nothing deleted. */
  step(target: Target): RetainStep {
    const counted: Counted = { deletedExecutions: [], deletedLogs: 0, shortened: [], files: [], more: false };
    const places = { ...this.#places };
    try {
      inTransaction(this.#db, () => {
        const budget = new Budget();
        if (Number.isFinite(target.endedBefore)) this.#batches.forgetOld(target.endedBefore);
        counted.more = !this.#byAge(target, budget, counted) || !this.#bySize(target, budget, counted);
      });
      return counted;
    } catch (error) {
      Object.assign(this.#places, places);
      throw error;
    }
  }

  /** Whether it came to the end. */
  #byAge({ endedBefore }: Target, budget: Budget, counted: Counted): boolean {
    const thorough = this.#ageWalks % thoroughEvery === 0;
    const ended = this.#walk('age', budget, (row) => {
      // Nothing ended before it was created, and what follows was created later, but where a clock was set meanwhile.
      if (row.created_at >= endedBefore) return thorough ? 'next' : 'end';
      const record = finished(row);
      if (record === undefined || keptSince(record) >= endedBefore || this.#isFollowed(row)) return 'next';
      return this.#remove(row, budget, counted);
    });
    if (ended) this.#ageWalks += 1;
    return ended;
  }

  /** Whether as few bytes are in use as may be, or nothing more can go. */
  #bySize(target: Target, budget: Budget, counted: Counted): boolean {
    const most = target.maxBytes * (this.#needsRoom ? roomShare : 1);
    // What was deleted just now may free files, which are counted when they are gone.
    const fits = () => bytesInUse(this.#db) + target.fileBytes <= most;
    if (fits()) {
      this.#haveRoom();
      return true;
    }
    if (counted.files.length > 0) return false;
    return this.#needsRoom
      ? this.#recordsBySize(budget, counted, fits)
      : this.#logsBySize(budget, counted, fits);
  }

  #logsBySize(budget: Budget, counted: Counted, fits: () => boolean): boolean {
    let enough = false;
    const ended = this.#walk(
      'logs',
      budget,
      (row) => {
        const record = finished(row);
        if (record === undefined || !this.#removal.hasLog(record) || this.#isFollowed(row)) return 'next';
        counted.shortened.push(row.execution_id);
        if (!this.#removal.purge(row.execution_id, budget)) return 'again';
        counted.deletedLogs += 1;
        enough = fits();
        return enough ? 'again' : 'next';
      },
      'stay',
    );
    if (ended) this.#needsRoom = true;
    return enough;
  }

  #recordsBySize(budget: Budget, counted: Counted, fits: () => boolean): boolean {
    let enough = false;
    const ended = this.#walk('records', budget, (row) => {
      if (finished(row) === undefined || this.#isFollowed(row)) return 'next';
      const verdict = this.#remove(row, budget, counted);
      enough = verdict === 'next' && fits();
      return enough || counted.files.length > 0 ? 'again' : verdict;
    });
    if (ended || enough) this.#haveRoom();
    return ended || enough;
  }

  #isFollowed({ execution_id: id }: Row): boolean {
    return this.#removal.isFollowed(id);
  }

  #remove(row: Row, budget: Budget, counted: Counted): Verdict {
    const { gone, files } = this.#removal.remove(row.execution_id, budget);
    if (gone === undefined) return 'again';
    counted.deletedExecutions.push(gone);
    counted.files.push(...files);
    return 'next';
  }

  #haveRoom(): void {
    if (!this.#needsRoom) return;
    this.#needsRoom = false;
    this.#places.logs = '';
    this.#places.records = '';
  }

  /**
   * Visits executions from the walk's place on, until the verdict or the budget ends it. True where it came to the
   * end: the next walk then begins anew, or stays there.
   */
  #walk(name: Walk, budget: Budget, visit: (row: Row) => Verdict, then: 'anew' | 'stay' = 'anew'): boolean {
    const rows = this.#page.all(this.#places[name]) as unknown as Row[];
    for (const row of rows) {
      const verdict = visit(row);
      if (verdict === 'again') return false;
      if (verdict === 'end') {
        this.#places[name] = '';
        return true;
      }
      this.#places[name] = row.execution_id;
      if (budget.spent) return false;
    }
    if (rows.length === rowsAtOnce) return false;
    if (then === 'anew') this.#places[name] = '';
    return true;
  }
}

/** The record of an execution that has ended; what is damaged stays for who repairs it. */
function finished(row: Row): ExecutionRecord | undefined {
  if (!isTerminal(row.status)) return undefined;
  try {
    return recordOf(row);
  } catch (error) {
    if (error instanceof DamagedError) return undefined;
    throw error;
  }
}
