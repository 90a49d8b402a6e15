/**
 * Lets go on those that wait for others, when these have ended. What is released stands in the store, written with the
 * end that released it: this only has to look, when something has ended, or when the node starts. So no crash loses
 * one, a start reads nothing of what still waits, and nothing starts before what it follows is durable.
 */
import type { Clock } from '../../domain/clock.ts';
import { dependencyFailure } from '../../domain/dependency.ts';
import type { ExecutionRecord } from '../../domain/execution.ts';
import { isDamage } from '../../domain/store-error.ts';
import type { Cause, ExecutionEvent } from '../../machines/execution-context.ts';
import type { Store } from '../../stores/store.ts';
import type { LiveExecution } from './live-execution.ts';

export interface DependantsHost {
  readonly clock: Clock;
  readonly store: Pick<Store, 'hasDependencies' | 'blocked' | 'released' | 'execution'>;
  /** Live, or live again; undefined where there is none that waits. */
  revive(executionId: string): Promise<LiveExecution | undefined>;
  deliver(executionId: string, event: ExecutionEvent): void;
  /** Milliseconds since the epoch. */
  now(): number;
  /** The store could not be read. */
  failed(error: unknown): void;
}

/** Those that are let go on in one turn. */
const atOnce = 256;
/** So many may have been let go on without that being durable. */
const mostUnderWay = 1024;
const readAgainMs = 1000;

export class Dependants {
  readonly #host: DependantsHost;
  /** Nobody follows anybody, as long as this is false. */
  #any = false;
  #looking = false;
  #again = false;
  #closed = false;
  /** Those that go on, which the store does not know yet. */
  readonly #underWay = new Map<string, Promise<unknown>>();

  constructor(host: DependantsHost) {
    this.#host = host;
  }

  /** Looks for what an earlier run of the node left. */
  async open(): Promise<void> {
    this.#any = await this.#host.store.hasDependencies();
    this.ended();
  }

  /** One that follows others is durable. */
  admitted(): void {
    this.#any = true;
    this.ended();
  }

  /** The end of some execution is durable. */
  ended(): void {
    if (!this.#any || this.#closed) return;
    if (this.#looking) this.#again = true;
    else void this.#look();
  }

  close(): void {
    this.#closed = true;
  }

  async #look(): Promise<void> {
    const { store, clock, failed } = this.#host;
    this.#looking = true;
    const gone = new Set<string>();
    try {
      for (;;) {
        this.#again = false;
        const known = this.#underWay.size + gone.size;
        const released = await store.released('', known + atOnce);
        const next = released.filter((id) => !this.#underWay.has(id) && !gone.has(id));
        for (const executionId of next) {
          if (this.#closed) return;
          if (!(await this.#release(executionId))) gone.add(executionId);
        }
        if (next.length === 0 && !this.#again) return;
        if (this.#underWay.size > mostUnderWay) await Promise.race(this.#underWay.values());
        if (next.length === atOnce) await new Promise((resolve) => void setImmediate(resolve));
      }
    } catch (error) {
      failed(error);
      clock.setTimer(readAgainMs, () => this.ended());
    } finally {
      this.#looking = false;
    }
  }

  /** False for one that is not there any more, or does not wait. */
  async #release(executionId: string): Promise<boolean> {
    const { store, revive, deliver, now } = this.#host;
    const waitsFor = await store.blocked(executionId);
    if (waitsFor === undefined) return false;
    const failedBy = waitsFor.failedBy === undefined ? undefined : await this.#recordOf(waitsFor.failedBy);
    for (;;) {
      const execution = await revive(executionId);
      // Once closed, nothing that is delivered comes to anything: it goes on with the next start.
      if (this.#closed || execution === undefined || execution.log.sealed) return false;
      const failed = failureOf(execution.log.record, waitsFor.failedBy, failedBy);
      deliver(executionId, { type: 'unblocked', at: now(), ...(failed !== undefined && { failed }) });
      // It may have been let go of since it was found.
      if (execution.log.record.blocked !== false && !execution.log.sealed) continue;
      const durable = execution.log.durable().then(() => this.#underWay.delete(executionId));
      this.#underWay.set(executionId, durable);
      return true;
    }
  }

  async #recordOf(executionId: string): Promise<ExecutionRecord | undefined> {
    try {
      return await this.#host.store.execution(executionId);
    } catch (error) {
      if (isDamage(error)) return undefined;
      throw error;
    }
  }
}

function failureOf(
  { dependsOn = [] }: ExecutionRecord,
  failedBy: string | undefined,
  record: ExecutionRecord | undefined,
): Cause | undefined {
  const dependency = dependsOn.find(({ executionId }) => executionId === failedBy);
  if (dependency === undefined) return undefined;
  return { code: 'DEPENDENCY_FAILED', message: dependencyFailure(dependency, record) };
}
