/** One run: counts what can run again, and then runs it, the oldest first and a few at a time. */
import type { Batches } from '../../domain/batch/batch.ts';
import type { Clock } from '../../domain/clock.ts';
import { RequestError } from '../../domain/errors.ts';
import { type ExecutionRecord, isTerminal } from '../../domain/execution.ts';
import type { AdmissionRequest, Executions } from '../../domain/executions.ts';
import type { LogCursor } from '../../domain/log.ts';
import { RerunTally } from '../../domain/rerun.ts';
import type { Tasks } from '../../domain/tasks.ts';
import { waitForAdmission } from '../../observers/async.ts';
import { waitForOutcome } from '../../observers/sync.ts';
import type { CallContext } from '../call.ts';
import type { ExecutionList } from '../execution-list.ts';
import type { RerunExecutionsResponse } from '../gen/spearlet/rerun_pb.js';
import { statusToWire } from '../wire/enums.ts';
import { Judge, type JudgeOptions, type Refused } from './judge.ts';
import { RerunReports, refusalToWire } from './rerun-reports.ts';
import type { RerunWish } from './rerun-wish.ts';
import { selected } from './selected.ts';

export interface RerunOptions extends JudgeOptions {
  readonly batches: Pick<Batches, 'get'>;
  readonly executions: Pick<Executions, 'admit' | 'attach'>;
  readonly tasks: Pick<Tasks, 'choose' | 'checkCall' | 'get'>;
  readonly list: ExecutionList;
  readonly clock: Clock;
}

/** Executions that one call runs again, of which it has the ids in memory. */
const mostAtOnce = 100_000;
/** Refused ones that are named, of each reason; all are counted. */
const mostNamed = 100;
/** How long one waits for a node that takes no more. */
const patienceMs = 10 * 60_000;
const leastPauseMs = 200;
const mostPauseMs = 5000;

export class RerunRun {
  readonly #options: RerunOptions;
  readonly #wish: RerunWish;
  readonly #call: CallContext;
  readonly #judge: Judge;
  readonly #tally = new RerunTally();
  readonly #reports: RerunReports;
  readonly #cursors = new Set<LogCursor>();
  readonly #before: number;
  #wake: (() => void) | undefined;
  #failure: unknown;

  constructor(
    options: RerunOptions,
    wish: RerunWish,
    call: CallContext,
    send: (message: RerunExecutionsResponse) => Promise<void> | undefined,
  ) {
    this.#options = options;
    this.#wish = wish;
    this.#call = call;
    this.#judge = new Judge(options, wish, call);
    this.#reports = new RerunReports(wish.id, this.#tally, options.clock, send);
    this.#before = Math.round(options.clock.now());
  }

  async run(): Promise<void> {
    this.#call.onGone(() => {
      for (const cursor of this.#cursors) cursor.close('done');
      this.#wake?.();
    });
    try {
      // Whoever asks knows by which name it goes on, before anything is run.
      await this.#reports.now();
      const { ids, truncated } = await this.#count();
      await this.#reports.counted(truncated);
      if (!this.#wish.dryRun) await this.#runAll(ids);
      if (!this.#call.gone) await this.#reports.done();
    } finally {
      this.#reports.stop();
      for (const cursor of this.#cursors) cursor.close('done');
    }
  }

  /** The ids of those that can run again, the oldest first. */
  async #count(): Promise<{ readonly ids: readonly string[]; readonly truncated: boolean }> {
    const ids: string[] = [];
    for await (const record of this.#meant()) {
      if (this.#call.gone) break;
      if (ids.length >= mostAtOnce) return { ids: ids.reverse(), truncated: true };
      this.#tally.matched += 1;
      const id = await this.#possible(record);
      if (id !== undefined) {
        this.#tally.possible += 1;
        ids.push(id);
      }
      this.#reports.note();
      await this.#reports.room();
    }
    return { ids: ids.reverse(), truncated: false };
  }

  async *#meant(): AsyncGenerator<ExecutionRecord | string, void, void> {
    const { selection, id } = this.#wish;
    if ('filter' in selection) {
      yield* selected(this.#options, this.#call.scope, selection.filter, { id, before: this.#before });
      return;
    }
    yield* selection.ids;
  }

  /** Its id, where it is. */
  async #possible(meant: ExecutionRecord | string): Promise<string | undefined> {
    const executionId = typeof meant === 'string' ? meant : meant.executionId;
    const record = typeof meant === 'string' ? await this.#judge.record(meant) : meant;
    if ('kind' in record) {
      this.#refuse(record, executionId);
      return undefined;
    }
    const verdict = await this.#judge.verdict(record);
    if (verdict.kind === 'refused') {
      this.#refuse(verdict, executionId);
      return undefined;
    }
    // Whether its input is there is looked at when it runs, too; a dry run is told now.
    if (this.#wish.dryRun && verdict.kind === 'possible') {
      const request = await this.#judge.request(record);
      if ('kind' in request) {
        this.#refuse(request, executionId);
        return undefined;
      }
    }
    return executionId;
  }

  async #runAll(ids: readonly string[]): Promise<void> {
    const left = new Set(ids);
    for (const executionId of ids) {
      if (this.#isOver()) break;
      await this.#startAfterOthers(executionId, left);
    }
    await this.#until(() => this.#cursors.size === 0);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Those of the run that it follows go first. */
  async #startAfterOthers(originId: string, left: Set<string>): Promise<void> {
    if (!left.delete(originId)) return;
    const record = await this.#judge.record(originId);
    if ('kind' in record) return this.#refuse(record, originId);
    for (const { executionId } of record.dependsOn ?? []) await this.#startAfterOthers(executionId, left);
    await this.#until(() => this.#cursors.size < this.#wish.maxInFlight);
    await this.#reports.room();
    if (!this.#isOver()) await this.#start(originId, record);
  }

  async #start(originId: string, record: ExecutionRecord): Promise<void> {
    const verdict = await this.#judge.verdict(record);
    if (verdict.kind === 'refused') return this.#refuse(verdict, originId);
    if (verdict.kind === 'found') {
      return this.#follow(originId, await this.#options.executions.attach(verdict.record.executionId), true);
    }
    const request = await this.#judge.request(record);
    if ('kind' in request) return this.#refuse(request, originId);
    const admission = await this.#admitted(request);
    if (admission === undefined) return;
    if ('kind' in admission) return this.#refuse(admission, originId);
    return this.#follow(originId, admission.cursor, admission.joined);
  }

  /** Waits for a node that takes no more. Undefined where the caller has gone meanwhile. */
  async #admitted(request: AdmissionRequest) {
    for (let waitedMs = 0; !this.#call.gone; ) {
      try {
        const admission = await this.#options.executions.admit(request);
        await waitForAdmission(admission.cursor);
        return admission;
      } catch (error) {
        if (!(error instanceof RequestError) || error.reason === 'DRAINING') throw error;
        if (error.kind !== 'resource_exhausted') {
          if (error.reason === 'STORE_UNAVAILABLE') throw error;
          return { kind: 'refused', refusal: 'refused', message: error.message } satisfies Refused;
        }
        if (waitedMs >= patienceMs) throw error;
        const pauseMs = Math.min(mostPauseMs, Math.max(leastPauseMs, error.retryAfterMs ?? 0));
        const begun = this.#options.clock.monotonic();
        await this.#pause(pauseMs);
        waitedMs += this.#options.clock.monotonic() - begun;
      }
    }
    return undefined;
  }

  #follow(originId: string, cursor: LogCursor, found: boolean): void {
    this.#tally.start(found);
    const { executionId } = cursor;
    const of = { originExecutionId: originId, executionId, found };
    this.#reports.note({ ...of, status: statusToWire[cursor.record.status] });
    this.#cursors.add(cursor);
    waitForOutcome(cursor, undefined, this.#options.clock)
      .then(({ status }) => {
        if (!isTerminal(status)) return;
        this.#tally.end(status);
        this.#reports.note({ ...of, status: statusToWire[status] });
      })
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => {
        cursor.close('done');
        this.#cursors.delete(cursor);
        this.#wake?.();
      });
  }

  #refuse({ refusal, message, by = '' }: Refused, originExecutionId: string): void {
    const isNamed = this.#tally.refuse(refusal) <= mostNamed;
    const item = { originExecutionId, executionId: by, refusal: refusalToWire(refusal), message };
    this.#reports.note(isNamed ? item : undefined);
  }

  #isOver(): boolean {
    return this.#call.gone || this.#failure !== undefined;
  }

  /** Resolves as soon as it is so, or nothing more is to be done. */
  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo() && !this.#isOver()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async #pause(ms: number): Promise<void> {
    let timer: { cancel(): void } | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = this.#options.clock.setTimer(ms, resolve);
    });
    timer?.cancel();
  }
}
