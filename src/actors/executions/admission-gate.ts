import { admissionRule } from '../../domain/admission.ts';
import { RequestError } from '../../domain/errors.ts';
import { assertMayStore, assertMayWait } from '../../domain/quota.ts';
import type { Overload } from '../../domain/scheduling/overload.ts';
import type { Priority } from '../../domain/scheduling/priority.ts';
import type { Store } from '../../stores/store.ts';
import { type Committer, noSpace, storeUnavailable } from '../log/committer.ts';
import type { Slots } from '../queue/slots.ts';
import type { TenantQuotas } from './tenant-quotas.ts';

interface GateOptions {
  readonly committer: Committer;
  readonly store: Store;
  readonly slots: Slots;
  readonly queueLimit: number;
  readonly quotas: Pick<TenantQuotas, 'of' | 'get'>;
  /** Absent where nobody is refused for it. */
  readonly overload: Overload | undefined;
  /** Milliseconds, of a clock that only goes on. */
  now(): number;
  /** False while other nodes may take this one for dead. */
  mayAct(): boolean;
  /** It takes nothing new from callers. */
  isCordoned(): boolean;
}

const retryAfterMs = 1000;

/** What the node accepts now. */
export class AdmissionGate {
  readonly #options: GateOptions;
  #closed = false;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The node drains: nothing is accepted any more. */
  close(): void {
    this.#closed = true;
  }

  /** Throws a RequestError, unavailable, where nothing is accepted now. */
  checkOpen(): void {
    if (this.#closed) {
      throw new RequestError('unavailable', 'the node is draining and takes no new work', {
        reason: 'DRAINING',
        retryAfterMs,
      });
    }
    const { committer, store, mayAct } = this.#options;
    if (!committer.healthy || !mayAct()) throw storeUnavailable();
    if (store.lowSpace) throw noSpace();
  }

  /** Throws a RequestError, unavailable, where nothing new is taken from callers. */
  checkCordon(): void {
    if (!this.#options.isCordoned()) return;
    throw new RequestError('unavailable', 'the node is cordoned and takes nothing new; another one does', {
      reason: 'CORDONED',
      retryAfterMs,
    });
  }

  /** The same where what needs no slot is not accepted of a tenant either. */
  checkAnswer(tenant: string): void {
    this.checkOpen();
    const { quotas } = this.#options;
    const quota = quotas.of(tenant);
    if (quota.storedBytes !== undefined) assertMayStore(tenant, quota, quotas.get(tenant).load.storedBytes);
  }

  /** Throws a RequestError where no `count` new executions of a tenant are accepted beside the `pending` ones of the node. */
  checkAdmission(pending: number, tenant: string, priority: Priority, count = 1): void {
    this.checkOpen();
    const { queueLimit, slots, quotas } = this.#options;
    const { running, total } = slots;
    const quota = quotas.of(tenant);
    if (quota.pending !== undefined) {
      const load = quotas.get(tenant).load.pending + count - 1;
      assertMayWait(tenant, quota, load, Math.max(0, total - running));
    }
    if (quota.storedBytes !== undefined) assertMayStore(tenant, quota, quotas.get(tenant).load.storedBytes);
    this.#checkOverload(priority);
    const before = pending + count - 1;
    if (admissionRule({ running, slots: total, pending: before, queueLimit }) !== 'refuse') return;
    throw new RequestError(
      'resource_exhausted',
      `the queue is full: ${pending} executions wait for ${total} slots, allowed are ${queueLimit}${count === 1 ? '' : `, and these are ${count} more`}`,
      { reason: 'QUEUE_FULL', quota: 'queue-limit', retryAfterMs },
    );
  }

  #checkOverload(priority: Priority): void {
    const { overload, slots, now } = this.#options;
    if (overload === undefined) return;
    if (slots.running < slots.total || slots.queued === 0) {
      overload.rest();
      return;
    }
    if (priority === 'high' || priority === 'urgent' || !overload.isOver(now())) return;
    throw new RequestError(
      'resource_exhausted',
      `the node is overloaded: everybody waits for longer than --queue-target-ms; of ${priority} priority nothing more is taken for now`,
      { reason: 'OVERLOADED', quota: 'queue-target-ms', retryAfterMs },
    );
  }
}
