/**
 * Fires a schedule once. What the schedule is after it becomes durable in the commit that admits the execution, so that
 * a crash leaves both or neither; of a firing that makes no execution it is written by itself.
 */
import type { Clock } from '../../domain/clock.ts';
import { RequestError } from '../../domain/errors.ts';
import type { ExecutionRecord, Invocation } from '../../domain/execution.ts';
import type { Admission, AdmissionRequest } from '../../domain/executions.ts';
import { dueOf } from '../../domain/schedule/plan.ts';
import { firingRequest } from '../../domain/schedule/request.ts';
import {
  type Firing,
  type FiringCause,
  type FiringResult,
  firingId,
  type Overlap,
  type Schedule,
  type ScheduledCall,
} from '../../domain/schedule/schedule.ts';
import { scheduleKey } from '../../domain/scheduling/task-gates.ts';
import { tenantOf } from '../../domain/scope.ts';
import type { SideRowChange } from '../../domain/side-row.ts';
import type { Tasks } from '../../domain/tasks.ts';
import type { ExecutionTrace } from '../../domain/trace.ts';
import type { Store } from '../../stores/store.ts';
import { firingRow, scheduleRow } from './schedule-rows.ts';

/** Hears what becomes of firings. Must not throw. */
export interface FiringListener {
  /** `lateMs` is how much later than it was due. `count` is more than 1 for those that were missed in a row. */
  decided(schedule: Schedule, firing: Firing, lateMs: number): void;
}

export interface FiringOptions {
  readonly clock: Clock;
  readonly store: Store;
  readonly tasks: Tasks;
  readonly listener: FiringListener;
  /** Milliseconds; the total timeout of a task that names none. */
  readonly defaultTotalMs: number;
  admit(request: AdmissionRequest): Promise<Admission>;
  /** What makes two calls of a task the same. */
  digestOf(taskId: string, invocation: Invocation): string;
  trace(): ExecutionTrace | undefined;
  /** As it is now; undefined where there is none any more. */
  record(executionId: string): Promise<ExecutionRecord | undefined>;
}

export interface Attempt {
  readonly instant: number;
  readonly cause: FiringCause;
  readonly overlap: Overlap;
  readonly call: ScheduledCall;
  /** What the schedule is once this is decided, but for what the firing itself changes. */
  readonly after: Schedule;
  /** Rows that go with it. */
  readonly rows?: readonly SideRowChange[];
}

export interface Decided {
  readonly schedule: Schedule;
  readonly firing: Firing;
  /** What it was refused with. */
  readonly error?: RequestError;
}

/** The error is about the node and not about the firing, which is as it was. */
export class NotNow extends Error {
  override readonly name = 'NotNow';
  override readonly cause: RequestError;

  constructor(cause: RequestError) {
    super(cause.message);
    this.cause = cause;
  }
}

export class Firings {
  readonly #options: FiringOptions;

  constructor(options: FiringOptions) {
    this.#options = options;
  }

  /** Rejects with NotNow where nothing can be decided for the clock, as nothing can be written. */
  async fire(attempt: Attempt): Promise<Decided> {
    const { after, instant, cause } = attempt;
    const { name } = after.rules;
    const invocationId = firingId(name, instant, cause);
    // What is told is what was written, with its time.
    let written: Decided | undefined;
    const fired = (executionId: string): Decided => {
      written ??= counted(after, this.#firing(attempt, { result: 'fired', executionId }));
      return written;
    };
    try {
      const request = await this.#request(attempt, invocationId);
      const { cursor, joined } = await this.#options.admit({
        ...request,
        rows: (executionId) => [...rowsOf(fired(executionId)), ...(attempt.rows ?? [])],
      });
      cursor.close('done');
      const { executionId } = cursor;
      if (joined) return await this.decide(attempt, { result: 'repeated', executionId });
      return this.#told(fired(executionId), attempt);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      // Who asks for it by hand is told; the clock waits until it can.
      if (isOfNode(error)) throw cause === 'clock' ? new NotNow(error) : error;
      if (error.reason === 'CONCURRENCY_FULL' && error.quota === `concurrency ${scheduleKey(name)}`) {
        const { lastExecutionId } = after;
        const { message } = error;
        return this.decide(attempt, {
          result: 'skipped',
          ...(lastExecutionId !== undefined && { executionId: lastExecutionId }),
          ...(cause === 'trigger' && { message }),
        });
      }
      if (cause === 'clock' && isForNow(error)) throw error;
      return { ...(await this.refuse(attempt, error)), error };
    }
  }

  refuse(attempt: Omit<Attempt, 'call' | 'overlap'>, { reason, message }: RequestError): Promise<Decided> {
    return this.decide(attempt, { result: 'refused', reason, message });
  }

  /** Writes what has become of an instant that makes no execution. Rejects with StoreError. */
  async decide(
    attempt: Omit<Attempt, 'call' | 'overlap'>,
    what: Pick<Firing, 'result' | 'executionId' | 'reason' | 'message' | 'missed'>,
  ): Promise<Decided> {
    const decided = counted(attempt.after, this.#firing(attempt, what));
    await this.#options.store.saveRows([...rowsOf(decided), ...(attempt.rows ?? [])]);
    return this.#told(decided, attempt);
  }

  async #request({ after, call, overlap }: Attempt, invocationId: string): Promise<AdmissionRequest> {
    const { tasks, defaultTotalMs, digestOf } = this.#options;
    const { rules, owner } = after;
    const { task, alias } = await tasks.choose({ tenant: tenantOf(after) }, rules.task, invocationId);
    const trace = this.#options.trace();
    const asking = { schedule: rules.name, invocationId, overlap, owner, tasks, defaultTotalMs, digestOf };
    return {
      ...firingRequest(task, call, asking),
      ...(alias !== undefined && { alias }),
      ...(trace !== undefined && { trace }),
    };
  }

  #firing(
    { after, instant, cause }: Omit<Attempt, 'call' | 'overlap'>,
    what: Pick<Firing, 'result' | 'executionId' | 'reason' | 'message' | 'missed'>,
  ): Firing {
    const at = Math.round(this.#options.clock.now());
    return { sequence: after.firings + 1, instant, at, cause, ...what };
  }

  #told(decided: Decided, { instant, cause }: Pick<Attempt, 'instant' | 'cause'>): Decided {
    const { schedule, firing } = decided;
    const lateMs = cause === 'clock' ? Math.max(0, firing.at - dueOf(schedule, instant)) : 0;
    this.#options.listener.decided(schedule, firing, lateMs);
    return decided;
  }
}

const countedAs: Readonly<Record<FiringResult, keyof Schedule['counts'] | undefined>> = {
  fired: 'fired',
  skipped: 'skipped',
  missed: 'missed',
  refused: 'refused',
  repeated: undefined,
};

/** The schedule with a firing in its account. */
function counted(after: Schedule, firing: Firing): Decided {
  const { result, executionId, missed } = firing;
  const key = countedAs[result];
  const refusedInARow =
    result === 'refused' ? after.refusedInARow + 1 : result === 'fired' ? 0 : after.refusedInARow;
  const counts =
    key === undefined ? after.counts : { ...after.counts, [key]: after.counts[key] + (missed?.count ?? 1) };
  const schedule: Schedule = {
    ...after,
    ...(result === 'fired' && executionId !== undefined && { lastExecutionId: executionId }),
    ...{ firings: firing.sequence, counts, refusedInARow, last: firing },
  };
  return { schedule, firing };
}

function rowsOf({ schedule, firing }: Decided): SideRowChange[] {
  return [scheduleRow(schedule), firingRow(tenantOf(schedule), schedule.rules.name, firing)];
}

/** Nothing can be written, or the node takes up nothing new: the firing waits as it is. */
function isOfNode({ reason }: RequestError): boolean {
  return reason === 'STORE_UNAVAILABLE' || reason === 'DRAINING';
}

/** It may go through later, unchanged. */
export function isForNow({ kind }: RequestError): boolean {
  return kind === 'resource_exhausted' || kind === 'unavailable';
}
