import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { MeterUse, NodeUse } from '../../../domain/scheduling/order-use.ts';
import { DamagedError, type OrderChanges, type StoredOrder } from '../../store.ts';
import { orderNodeChecksum, rateChecksum } from '../file/checksum.ts';
import { type Row, wholeOf } from './row.ts';

/** Buckets that are forgotten in one transaction. */
const mostForgotten = 1000;
/** Stands for the buckets without a row. */
const others = '';
/** When those were empty is not known. */
const unknown = -1;

/** Reads and writes what the order of runs remembers. */
export class OrderRows {
  readonly #nodes: StatementSync;
  readonly #saveNode: StatementSync;
  readonly #deleteNode: StatementSync;
  readonly #rates: StatementSync;
  readonly #saveRate: StatementSync;
  readonly #forget: StatementSync;

  constructor(db: DatabaseSync) {
    this.#nodes = db.prepare('SELECT node, use, checksum FROM order_nodes');
    this.#saveNode = db.prepare(
      `INSERT INTO order_nodes (node, use, checksum) VALUES (?, ?, ?)
       ON CONFLICT (node) DO UPDATE SET use = excluded.use, checksum = excluded.checksum`,
    );
    this.#deleteNode = db.prepare('DELETE FROM order_nodes WHERE node = ?');
    this.#rates = db.prepare('SELECT meter, full_at, checksum FROM rates');
    this.#saveRate = db.prepare(
      `INSERT INTO rates (meter, full_at, checksum) VALUES (?, ?, ?)
       ON CONFLICT (meter) DO UPDATE SET full_at = excluded.full_at, checksum = excluded.checksum
       WHERE excluded.full_at > rates.full_at`,
    );
    this.#forget = db.prepare(
      `DELETE FROM rates WHERE meter IN
         (SELECT meter FROM rates WHERE full_at <= ? AND meter <> '' LIMIT ${mostForgotten})`,
    );
  }

  all(): StoredOrder {
    const nodes = wholeOf(this.#nodes.all(), nodeOf);
    const rows = this.#rates.all();
    const rates = wholeOf(rows, meterOf);
    const rest = rates.find(({ meter }) => meter === others);
    const isWhole = rates.length === rows.length && rest?.fullAt !== unknown;
    return {
      nodes,
      meters: rates.filter(({ meter }) => meter !== others),
      ...(isWhole && rest !== undefined && { emptyAt: rest.fullAt }),
      isWhole,
    };
  }

  save({ nodes = [], forgotten = [], emptyAt, fullBefore }: OrderChanges): number {
    for (const path of forgotten) this.#deleteNode.run(JSON.stringify(path));
    for (const { path, used, reached, most, ready, since } of nodes) {
      const node = JSON.stringify(path);
      const json = JSON.stringify([used, reached, most, ready, since]);
      this.#saveNode.run(node, json, orderNodeChecksum(node, json));
    }
    if (emptyAt !== undefined) this.saveMeter({ meter: others, fullAt: emptyAt });
    return fullBefore === undefined ? 0 : Number(this.#forget.run(fullBefore).changes);
  }

  /** A bucket is full no sooner than it was. */
  saveMeter({ meter, fullAt }: MeterUse): void {
    this.#saveRate.run(meter, fullAt, rateChecksum(meter, fullAt));
  }
}

/** Throws DamagedError where the row is not as it was written. */
export function nodeOf({ node, use, checksum }: Row): NodeUse {
  if (checksum !== orderNodeChecksum(String(node), String(use))) {
    throw new DamagedError(`what ${String(node)} has used is damaged`);
  }
  const [used, reached, most, ready, since] = JSON.parse(String(use));
  return { path: JSON.parse(String(node)), used, reached, most, ready, since };
}

/** Throws DamagedError where the row is not as it was written. */
export function meterOf({ meter, full_at, checksum }: Row): MeterUse {
  const fullAt = Number(full_at);
  // The migration, which cannot make checksums, wrote that nothing is known.
  const isUnknown = meter === others && fullAt === unknown && checksum === null;
  if (!isUnknown && checksum !== rateChecksum(String(meter), fullAt)) {
    throw new DamagedError(`the bucket of the rate ${JSON.stringify(meter)} is damaged`);
  }
  return { meter: String(meter), fullAt };
}
