/** What caches of tasks do to executions: who gets which result, who waits for whose run, and what came of it. */
import {
  type CacheSavings,
  type CacheViews,
  callKey,
  keyOf,
  maxBytesOf,
  noSavings,
} from '../../../domain/cache.ts';
import type { ExecutionRecord } from '../../../domain/execution.ts';
import type { AdmissionRequest } from '../../../domain/executions.ts';
import { LruMap } from '../../../domain/lru-map.ts';
import { tenantOf } from '../../../domain/scope.ts';
import { isAway } from '../../../domain/store-error.ts';
import type { Task } from '../../../domain/task.ts';
import type { LiveLog } from '../../log/live-log.ts';
import type { LiveExecution } from '../live-execution.ts';
import { EqualCalls } from './equal-calls.ts';
import { type CacheBounds, type KeptChunk, type KeptResult, ResultCache } from './result-cache.ts';

export interface ExecutionCacheHost {
  /** Wall clock, milliseconds since the epoch. */
  now(): number;
  /** One that waits ends with that result. */
  answer(executionId: string, result: KeptResult): void;
  /** One that waited for another's run is to wait for a slot. */
  letGo(executionId: string): void;
  bug(error: unknown, executionId: string): void;
}

type Savings = { -readonly [Key in keyof CacheSavings]: CacheSavings[Key] };

/** Tasks of which it is known what their caches did. */
const mostTasks = 10_000;
const pageBytes = 256 * 1024;

export class ExecutionCache implements CacheViews {
  readonly #host: ExecutionCacheHost;
  readonly #results: ResultCache;
  readonly #calls = new EqualCalls();
  readonly #savings = new LruMap<string, Savings>(mostTasks);
  readonly #total: Savings = { ...noSavings };
  /** Origins whose output is being read, to be kept. */
  readonly #reading = new Set<string>();

  constructor(bounds: CacheBounds, host: ExecutionCacheHost) {
    this.#host = host;
    this.#results = new ResultCache(bounds, (taskId, entries, bytes) => {
      for (const savings of [this.#of(taskId), this.#total]) {
        savings.entries += entries;
        savings.bytes += bytes;
      }
    });
  }

  /** Of all tasks. */
  get total(): CacheSavings {
    return this.#total;
  }

  savingsOf(taskId: string): CacheSavings | undefined {
    return this.#savings.peek(taskId);
  }

  /** The result that a request would end with at once. */
  find({ task, cache, startAfterMs }: AdmissionRequest): KeptResult | undefined {
    if (cache === undefined || cache.bypass || startAfterMs > 0) return undefined;
    return this.#results.get(tenantOf(task), callKey(task, cache.key), this.#host.now());
  }

  /** It is to wait for a slot; true where it waits for the run of another instead. */
  waits(execution: LiveExecution): boolean {
    const key = sharedKey(execution);
    return key !== undefined && this.#calls.waits(key, execution.executionId);
  }

  isParked(execution: LiveExecution): boolean {
    const key = sharedKey(execution);
    return key !== undefined && this.#calls.isParked(key, execution.executionId);
  }

  /** The execution whose run one waits for. */
  runFor(execution: LiveExecution): string | undefined {
    const key = sharedKey(execution);
    return key !== undefined && this.#calls.isParked(key, execution.executionId)
      ? this.#calls.runOf(key)
      : undefined;
  }

  /** It has its slot: whether it runs, gets a result or waits for the run of another. */
  begins(execution: LiveExecution): 'runs' | 'parked' | KeptResult {
    const key = sharedKey(execution);
    if (key === undefined || execution.state !== 'pending.queued') return 'runs';
    const { executionId, task } = execution;
    const found = this.#results.get(tenantOf(task), key, this.#host.now());
    if (found !== undefined) return found;
    return this.#calls.begins(key, executionId) ? 'parked' : 'runs';
  }

  /** Something has happened to it. */
  moved(execution: LiveExecution): void {
    const key = sharedKey(execution);
    if (key === undefined) return;
    const { executionId, state, log } = execution;
    // What has ended is heard of when it is durable.
    if (state === 'pending.queued') return;
    if (log.sealed && state === 'completed') this.#calls.ending(key, executionId);
    if (!log.sealed && (state === 'pending.held' || state === 'running.suspended')) {
      this.#letGo(this.#calls.failed(key, executionId, 1));
    }
    this.leaves(execution);
  }

  /** It is not among those that wait, as it is live no more, or has something else to wait for. */
  leaves(execution: LiveExecution): void {
    const key = sharedKey(execution);
    if (key !== undefined) this.#letGo(this.#calls.leaves(key, execution.executionId));
  }

  /** Its end is durable. */
  ended(execution: LiveExecution): void {
    const { log, task, answer } = execution;
    const { record } = log;
    const key = keyOf(record);
    if (key === undefined) return;
    this.#count(record, answer);
    if (answer !== undefined) return;
    if (record.status === 'completed') {
      this.#keep(key, log, task).catch((error: unknown) => {
        if (!isAway(error)) this.#host.bug(error, log.executionId);
        this.#letGo(this.#calls.failed(key, log.executionId, Number.POSITIVE_INFINITY));
      });
    } else {
      this.#letGo(this.#calls.failed(key, log.executionId, record.status === 'cancelled' ? 1 : 2));
    }
  }

  /** It was never accepted. */
  refused(execution: LiveExecution): void {
    const key = keyOf(execution.log.record);
    if (key !== undefined) this.#letGo(this.#calls.failed(key, execution.executionId, 2));
    this.leaves(execution);
  }

  /** The output of that execution is not kept any more. */
  forget(executionId: string): void {
    this.#reading.delete(executionId);
    this.#results.forget(executionId);
  }

  async #keep(key: string, log: LiveLog, task: Task): Promise<void> {
    const result = await this.#resultOf(log, task);
    const { cache } = task.definition;
    const { executionId, record } = log;
    const isKept =
      result !== undefined &&
      cache !== undefined &&
      this.#results.put(tenantOf(record), key, task.taskId, result, cache.ttlMs);
    if (result === undefined || !isKept) {
      this.#letGo(this.#calls.failed(key, executionId, Number.POSITIVE_INFINITY));
      return;
    }
    for (const each of this.#calls.completed(key, executionId)) this.#host.answer(each, result);
  }

  /** Undefined for one that its task does not keep. At once where there is no output to read. */
  async #resultOf(log: LiveLog, task: Task): Promise<KeptResult | undefined> {
    const { record, executionId } = log;
    const { outcome, completedAt } = record;
    const { cache } = task.definition;
    if (cache === undefined || outcome?.status !== 'completed' || completedAt === undefined) return undefined;
    const most = maxBytesOf(cache);
    const value = Buffer.byteLength(outcome.output ?? '');
    if (value > most) return undefined;
    const chunks = record.outputBytes === 0 ? [] : await this.#output(log, most - value);
    if (chunks === undefined) return undefined;
    return {
      ...{ originId: executionId, endedAt: completedAt, outcome, chunks },
      ...{ runMs: record.executionTimeMs, cpuMs: (record.resourceUse.cpuTimeUs ?? 0) / 1000 },
    };
  }

  /** Of the last attempt; undefined where that is more, or was deleted meanwhile. */
  async #output(log: LiveLog, most: number): Promise<readonly KeptChunk[] | undefined> {
    const { executionId, record } = log;
    const chunks: KeptChunk[] = [];
    let bytes = 0;
    this.#reading.add(executionId);
    for (let next = record.attemptSequence + 1; next <= record.lastSequence; ) {
      const page = await log.read(next, pageBytes);
      if (page[0]?.sequence !== next) this.#reading.delete(executionId);
      for (const event of page) {
        if (event.kind !== 'chunk') continue;
        bytes += event.data.byteLength;
        // Its memory may be a part of what the whole page takes.
        chunks.push({ stream: event.stream, data: Uint8Array.from(event.data) });
      }
      next += page.length;
      if (bytes > most) this.#reading.delete(executionId);
      if (!this.#reading.has(executionId)) return undefined;
    }
    return this.#reading.delete(executionId) ? chunks : undefined;
  }

  #letGo(executionIds: readonly string[]): void {
    for (const each of executionIds) this.#host.letGo(each);
  }

  #count({ cache, taskId, attempt }: ExecutionRecord, answer: KeptResult | undefined): void {
    for (const savings of [this.#of(taskId), this.#total]) {
      if (answer !== undefined) {
        savings[cache?.use === 'shared' ? 'shared' : 'hits'] += 1;
        savings.savedMs += answer.runMs;
        savings.savedCpuMs += answer.cpuMs;
      } else if (cache?.use === 'miss' && attempt > 0) savings.misses += 1;
    }
  }

  #of(taskId: string): Savings {
    const known = this.#savings.get(taskId);
    if (known !== undefined) return known;
    const made = { ...noSavings };
    this.#savings.set(taskId, made);
    return made;
  }
}

/** Of one that may have another's result. */
function sharedKey({ log }: LiveExecution): string | undefined {
  const { record } = log;
  return record.cache === undefined || record.cache.use === 'bypass' ? undefined : keyOf(record);
}
