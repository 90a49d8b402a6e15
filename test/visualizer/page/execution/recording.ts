/**
 * Logs as the node writes them: the real chart is driven, and its changes are written down as the wire has them. Only
 * what a runtime would do is made up.
 */
import { initialTransition, transition } from 'xstate';
import { originOf } from '../../../../src/domain/errors.ts';
import { contextPatch } from '../../../../src/domain/patch.ts';
import {
  type ExecutionSnapshot,
  executionChartVersion,
  executionMachine,
  machineFor,
  statePath,
} from '../../../../src/machines/execution.ts';
import type { ExecutionEvent, ExecutionInput } from '../../../../src/machines/execution-context.ts';
import { storedContext } from '../../../../src/machines/stored-context.ts';
import {
  executionResultDefaults,
  streamExecutionResultDefaults,
} from '../../../../src/visualizer/page/gen/defaults.ts';
import { EventLog } from '../../../../src/visualizer/page/model/event-log.ts';
import { type ExecutionRow, rowOf } from '../../../../src/visualizer/page/model/execution-row.ts';
import { eventOf } from '../../../../src/visualizer/page/model/log-event.ts';
import type { Machine } from '../../../../src/visualizer/page/model/machine.ts';
import type {
  ExecutionResultJson,
  StatusName,
  StreamExecutionResultJson,
} from '../../../../src/visualizer/page/wire.ts';

/** The admission of every recording. */
export const t0 = Date.UTC(2026, 10, 22, 2, 41, 7, 310);

const names: Readonly<Record<string, StatusName>> = {
  pending: 'EXECUTION_STATUS_PENDING',
  running: 'EXECUTION_STATUS_RUNNING',
  completed: 'EXECUTION_STATUS_COMPLETED',
  failed: 'EXECUTION_STATUS_FAILED',
  timedOut: 'EXECUTION_STATUS_TIMED_OUT',
  cancelled: 'EXECUTION_STATUS_CANCELLED',
};

const origins = {
  user: 'ERROR_ORIGIN_USER',
  policy: 'ERROR_ORIGIN_POLICY',
  platform: 'ERROR_ORIGIN_PLATFORM',
} as const;

/** What a recording's events leave to it: their instant. */
type Untimed = ExecutionEvent extends infer Event
  ? Event extends ExecutionEvent
    ? Omit<Event, 'at'>
    : never
  : never;

export class Recording {
  readonly id: string;
  readonly events: StreamExecutionResultJson[] = [];
  readonly #task: string;
  #snapshot: ExecutionSnapshot;
  #time = t0;
  #output = { stdout: [] as string[], bytes: 0 };
  #started: number | undefined;
  result: Partial<ExecutionResultJson> = {};

  constructor(task: string, input: Partial<ExecutionInput> = {}) {
    this.#task = task;
    this.id =
      `exec_01m8${[...task].map((sign) => (sign.charCodeAt(0) % 32).toString(32)).join('')}${'0'.repeat(22)}`.slice(
        0,
        31,
      );
    const whole: ExecutionInput = {
      executionId: this.id,
      now: t0,
      totalMs: 300_000,
      graceMs: 5000,
      retry: { maxAttempts: 1, initialMs: 200, factor: 2, maxMs: 30_000, jitter: 0.1, on: [] },
      recovery: { onInterrupt: 'rerun', maxRecoveries: 3 },
      ...input,
    };
    [this.#snapshot] = initialTransition(machineFor(whole), whole);
    this.#append({
      transition: {
        from: '',
        to: this.state,
        eventType: 'admit',
        reasonCode: '',
        contextPatch: contextPatch(undefined, storedContext(this.#snapshot.context)),
        chartVersion: executionChartVersion,
      },
    });
  }

  get state(): string {
    return statePath(this.#snapshot);
  }

  wait(ms: number): this {
    this.#time += ms;
    return this;
  }

  send(event: Untimed): this {
    const before = this.#snapshot;
    const [after] = transition(executionMachine, before, { ...event, at: this.#time } as ExecutionEvent);
    this.#snapshot = after;
    if (this.#started === undefined && after.context.attempt > 0) this.#started = this.#time;
    const from = statePath(before);
    const { cause, heldSince, pausedAttempt, recoveries } = after.context;
    const was = before.context;
    const told =
      was.cause !== cause ||
      was.heldSince !== heldSince ||
      was.pausedAttempt !== pausedAttempt ||
      was.recoveries !== recoveries;
    if (from === this.state && !told) return this;
    if (after.status === 'done') {
      this.#append({ result: this.record() });
      return this;
    }
    this.#append({
      transition: {
        from,
        to: this.state,
        eventType: event.type,
        reasonCode: cause?.code ?? '',
        contextPatch: contextPatch(was, after.context),
        chartVersion: executionChartVersion,
      },
    });
    return this;
  }

  dispatch(): this {
    return this.send({ type: 'dispatch' });
  }

  write(stream: 'stdout' | 'stderr', text: string): this {
    const data = Buffer.from(text);
    for (let from = 0; from < data.byteLength; from += 65_536) {
      const part = data.subarray(from, from + 65_536);
      this.#output.bytes += part.byteLength;
      this.#append({
        chunk: {
          stream: stream === 'stderr' ? 'OUTPUT_STREAM_STDERR' : 'OUTPUT_STREAM_STDOUT',
          data: part.toString('base64'),
        },
      });
    }
    return this;
  }

  /** The record as it is now. */
  record(): ExecutionResultJson {
    const { context } = this.#snapshot;
    const { outcome } = context;
    const failure = outcome === null || outcome.status === 'completed' ? undefined : outcome;
    const status = this.state.split('.', 1)[0] ?? '';
    const ended = outcome !== null;
    return {
      ...executionResultDefaults,
      status: names[status] ?? 'EXECUTION_STATUS_UNSPECIFIED',
      state: this.state,
      mode: 'EXECUTION_MODE_ASYNC',
      isAsync: true,
      isCompleted: ended,
      output: outcome?.output === undefined ? '' : Buffer.from(outcome.output).toString('base64'),
      contentType: outcome?.output === undefined ? '' : 'application/json',
      outputBytes: String(this.#output.bytes),
      ...(outcome?.exitCode !== undefined && { exitCode: outcome.exitCode }),
      ...(failure !== undefined && {
        errorCode: `ERROR_CODE_${failure.code}` as const,
        errorOrigin: origins[originOf(failure.code)],
      }),
      errorMessage: failure?.message ?? '',
      attempt: context.attempt,
      createdAt: new Date(t0).toISOString(),
      ...(this.#started !== undefined && { startedAt: new Date(this.#started).toISOString() }),
      ...(ended && { completedAt: new Date(this.#time).toISOString() }),
      queueTimeMs: String((this.#started ?? this.#time) - t0),
      executionTimeMs: this.#started === undefined ? 0 : this.#time - this.#started,
      requestId: 'req_7f3a',
      metadata: { tenant: 'acme', build: '2026.11.3' },
      timestamp: new Date(this.#time).toISOString(),
      allowedEvents: ended ? [] : ['cancel', 'suspend'],
      resourceUse: { cpuTimeUs: '812000', peakMemoryBytes: '41943040', droppedBytes: '0' },
      executionId: this.id,
      taskId: `task_01m8${'0'.repeat(20)}${this.#task.length}`,
      taskName: this.#task,
      taskRevision: 3,
      instanceId: context.attempt === 0 ? '' : 'inst_01m8',
      ...(failure?.termination !== undefined && {
        termination: { rung: failure.termination.rung, tookMs: String(failure.termination.tookMs) },
      }),
      recoveries: context.recoveries,
      oldestSequence: '1',
      priority: 'PRIORITY_NORMAL',
      tenant: 'default',
      ...this.result,
    };
  }

  row(): ExecutionRow {
    return rowOf(this.record());
  }

  /** The log in the page's model. */
  log(): EventLog {
    const log = new EventLog();
    log.append(this.events.flatMap((event) => eventOf(event) ?? []));
    return log;
  }

  /** As the node gives it for download. */
  history(): string {
    const status = {
      result: this.record(),
      lastSequence: String(this.events.length),
      statusEndpoint: '',
      estimatedCompletionMs: '0',
    };
    return [status, ...this.events].map((line) => `${JSON.stringify(line)}\n`).join('');
  }

  #append(body: Pick<StreamExecutionResultJson, 'transition' | 'chunk' | 'result'>): void {
    const status = this.state.split('.', 1)[0] ?? '';
    this.events.push({
      ...streamExecutionResultDefaults,
      executionId: this.id,
      sequence: String(this.events.length + 1),
      position: String(this.events.length + 1),
      time: new Date(this.#time).toISOString(),
      status: names[status] ?? 'EXECUTION_STATUS_UNSPECIFIED',
      attempt: this.#snapshot.context.attempt,
      isFinal: body.result !== undefined,
      ...body,
    });
  }
}

/** The chart that made it, as a node describes it. */
export function executionChart(): Machine {
  const definition = JSON.parse(JSON.stringify(executionMachine.definition)) as Machine['definition'];
  return { name: 'execution', version: executionChartVersion, definition, mermaid: '', states: [] };
}
