/**
 * What a new execution does to those on any node that share a value of a key, where their task says so (`when_full`). On
 * one node that is `key-admission.ts` and `superseding.ts`; here the store knows who there is.
 *
 * - Of two that come on two nodes at once both may be let in: the limit itself is held, and one of them waits.
 * - Those that go are cancelled as soon as the newer one is durable, and again until that is so or it waits no more.
 */
import type { Clock } from '../../../domain/clock.ts';
import { RequestError } from '../../../domain/errors.ts';
import type { ExecutionRecord } from '../../../domain/execution.ts';
import type { ConcurrencyUse } from '../../../domain/scheduling/gate.ts';
import { gatesOf, hasToBeKnown } from '../../../domain/scheduling/task-gates.ts';
import { tenantOf } from '../../../domain/scope.ts';
import type { WhenFull } from '../../../domain/task.ts';
import type { ClusterQueue, KeyedExecution } from '../../../stores/cluster-queue.ts';
import { keyFull } from '../key-admission.ts';
import { superseded } from '../superseding.ts';

export interface SharedKeysHost {
  readonly queue: Pick<ClusterQueue, 'withKey'>;
  readonly clock: Pick<Clock, 'setTimer'>;
  /** Whoever has it; resolves when that is durable. Rejects with a RequestError. */
  cancel(executionId: string, reason: string): Promise<unknown>;
}

interface SharedKey {
  readonly use: ConcurrencyUse;
  readonly value: string;
  readonly whenFull: WhenFull;
}

const againMs = 1000;
/** So often one is tried to be cancelled that cannot be reached: longer than others need to take it over. */
const mostTries = 30;

export class SharedKeys {
  readonly #host: SharedKeysHost;

  constructor(host: SharedKeysHost) {
    this.#host = host;
  }

  /** Rejects with resource_exhausted where as many have not ended as a key of its task refuses beyond. */
  async check(record: ExecutionRecord): Promise<void> {
    for (const key of keysOf(record)) {
      if (key.whenFull !== 'refuse') continue;
      const sharing = await this.#sharing(record, key);
      if (sharing.length >= key.use.limit) throw keyFull(key.use, sharing.length);
    }
  }

  /** The newer one is durable: those whose place it takes are cancelled. Never rejects. */
  async supersede(newer: ExecutionRecord): Promise<void> {
    for (let tries = 0; tries < mostTries; tries++) {
      try {
        for (const key of keysOf(newer)) await this.#cancelOthers(newer, key);
        return;
      } catch {
        await new Promise<void>((resolve) => void this.#host.clock.setTimer(againMs, resolve));
      }
    }
  }

  async #cancelOthers(newer: ExecutionRecord, key: SharedKey): Promise<void> {
    if (key.whenFull !== 'replacePending' && key.whenFull !== 'cancelRunning') return;
    const sharing = await this.#sharing(newer, key);
    // It has its place, or a still newer one has.
    if (!sharing.some(({ record }) => record.executionId === newer.executionId)) return;
    const gone = supersededBy(newer, key, sharing);
    const reason = superseded(newer.executionId, key.use.key);
    await Promise.all(gone.map((executionId) => this.#host.cancel(executionId, reason).catch(unlessGone)));
  }

  async #sharing(record: ExecutionRecord, { use, value }: SharedKey): Promise<readonly KeyedExecution[]> {
    const found = await this.#host.queue.withKey(tenantOf(record), use.key, value);
    return found.filter(({ record: other }) => keysOf(other).some((each) => each.use.meter === use.meter));
  }
}

/** Of those that share the value, the oldest first, those whose place it takes. */
function supersededBy(
  { executionId: newer }: ExecutionRecord,
  { use: { limit }, whenFull }: SharedKey,
  sharing: readonly KeyedExecution[],
): string[] {
  const runs = ({ record, isGiven }: KeyedExecution): boolean => isGiven || record.status === 'running';
  const running = sharing.filter(runs);
  const waiting = sharing.filter((each) => !runs(each) && waits(each.record));
  const stays = Math.max(1, limit - running.length);
  const gone = waiting
    .slice(0, Math.max(0, waiting.length - stays))
    .filter(({ record }) => isBefore(record, newer));
  const isStopping = running.some(({ record }) => record.state === 'running.stopping');
  if (whenFull === 'cancelRunning' && running.length >= limit && !isStopping && running[0] !== undefined) {
    gone.push(running[0]);
  }
  return gone.map(({ record }) => record.executionId).filter((executionId) => executionId !== newer);
}

function waits({ state }: ExecutionRecord): boolean {
  return state === 'pending.queued' || state === 'pending.waiting';
}

/** Ids sort by when they were made. */
function isBefore({ executionId }: ExecutionRecord, other: string): boolean {
  return executionId < other;
}

function keysOf(record: ExecutionRecord): readonly SharedKey[] {
  if (!hasToBeKnown(record)) return [];
  const { gates = [] } = record;
  return gatesOf(record).flatMap((use, index) => {
    const gate = gates[index];
    if (use.kind !== 'concurrency' || gate === undefined || !('whenFull' in gate)) return [];
    const { value, whenFull = 'queue' } = gate;
    return [{ use, value, whenFull }];
  });
}

function unlessGone(error: unknown): void {
  if (!(error instanceof RequestError && error.kind === 'not_found')) throw error;
}
