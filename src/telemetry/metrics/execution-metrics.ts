import { Counter, Histogram, type OpenMetricsContentType, type Registry } from 'prom-client';
import type { NewEvent } from '../../domain/event.ts';
import type { ExecutionRecord } from '../../domain/execution.ts';
import type { StoreObserver } from '../../domain/node-feed.ts';
import { tenantOf } from '../../domain/scope.ts';
import type { RuntimeKind } from '../../domain/task.ts';
import { BoundedLabels, BoundedRevisions } from './bounded-labels.ts';
import { runSeconds } from './buckets.ts';

const taskLabels = ['tenant', 'task', 'runtime'] as const;

/** What became of executions, counted when it is durable, so that a number and the logs never say two things. */
export class ExecutionMetrics implements StoreObserver {
  readonly #runtimeOf: (executionId: string) => RuntimeKind | undefined;
  readonly #labels = new BoundedLabels();
  readonly #revisions = new BoundedRevisions();
  readonly #accepted: Counter<(typeof taskLabels)[number]>;
  readonly #ended: Counter<(typeof taskLabels)[number] | 'status' | 'error_code'>;
  readonly #endedByRevision: Counter<'tenant' | 'task' | 'alias' | 'revision' | 'status'>;
  readonly #retries: Counter<(typeof taskLabels)[number]>;
  readonly #lost: Counter<'runtime'>;
  readonly #reattached: Counter<'runtime'>;
  readonly #queueSeconds: Histogram<'runtime' | 'trace_id'>;
  readonly #runSeconds: Histogram<'runtime' | 'trace_id'>;
  readonly #cpuSeconds: Counter<'runtime'>;
  readonly #outputBytes: Counter<'runtime'>;
  readonly #droppedBytes: Counter<'runtime'>;

  /** `runtimeOf` knows those that live. */
  constructor(
    registers: Registry<OpenMetricsContentType>[],
    runtimeOf: (executionId: string) => RuntimeKind | undefined,
  ) {
    this.#runtimeOf = runtimeOf;
    const labelNames = taskLabels;
    this.#accepted = new Counter({
      name: 'spear_executions_accepted_total',
      help: 'Executions whose admission is durable.',
      ...{ labelNames, registers },
    });
    this.#ended = new Counter({
      name: 'spear_executions_ended_total',
      help: 'Executions that have ended, by how; error_code is empty for those that completed.',
      labelNames: [...labelNames, 'status', 'error_code'],
      registers,
    });
    this.#endedByRevision = new Counter({
      name: 'spear_executions_ended_by_revision_total',
      help: 'Executions that have ended whose revision an alias has chosen, by that revision.',
      labelNames: ['tenant', 'task', 'alias', 'revision', 'status'],
      registers,
    });
    this.#retries = new Counter({
      name: 'spear_execution_retries_total',
      help: 'Attempts after the first.',
      ...{ labelNames, registers },
    });
    this.#lost = new Counter({
      name: 'spear_attempts_lost_total',
      help: 'Attempts that a stop or crash of the node, or of what runs guests, has ended.',
      ...{ labelNames: ['runtime'], registers },
    });
    this.#reattached = new Counter({
      name: 'spear_attempts_reattached_total',
      help: 'Attempts that went on over a restart of the node, and were followed again.',
      ...{ labelNames: ['runtime'], registers },
    });
    this.#queueSeconds = new Histogram({
      name: 'spear_execution_queue_seconds',
      help: 'How long executions that have ended had waited for their first attempt.',
      ...{ labelNames: ['runtime'], buckets: runSeconds, registers, enableExemplars: true as const },
    });
    this.#runSeconds = new Histogram({
      name: 'spear_execution_run_seconds',
      help: 'How long executions that have ended had run, in all their attempts.',
      ...{ labelNames: ['runtime'], buckets: runSeconds, registers, enableExemplars: true as const },
    });
    this.#cpuSeconds = new Counter({
      name: 'spear_execution_cpu_seconds_total',
      help: 'Processor time of executions that have ended, where their runtime can tell it.',
      ...{ labelNames: ['runtime'], registers },
    });
    this.#outputBytes = new Counter({
      name: 'spear_execution_output_bytes_total',
      help: 'Output of executions, as it became durable.',
      ...{ labelNames: ['runtime'], registers },
    });
    this.#droppedBytes = new Counter({
      name: 'spear_execution_dropped_bytes_total',
      help: 'Output of executions that have ended that their limits did not keep.',
      ...{ labelNames: ['runtime'], registers },
    });
  }

  committed(record: ExecutionRecord, events: readonly NewEvent[]): void {
    // One that was restored as a record has its history, and none of it happened here.
    if (record.restoredAt !== undefined) return;
    const runtime = this.#runtimeOf(record.executionId) ?? 'unknown';
    const task = { ...this.#labels.of(tenantOf(record), record.taskName), runtime };
    let bytes = 0;
    for (const event of events) {
      if (event.kind === 'chunk') bytes += event.data.byteLength;
      else if (event.kind === 'result') this.#end(record, task);
      else if (event.kind !== 'transition') continue;
      else if (event.sequence === 1) this.#accepted.inc(task);
      else if (event.eventType === 'dispatch' && event.attempt > 1) this.#retries.inc(task);
      else if (event.eventType === 'lost') this.#lost.inc({ runtime });
      else if (event.eventType === 'reattached') this.#reattached.inc({ runtime });
    }
    if (bytes > 0) this.#outputBytes.inc({ runtime }, bytes);
  }

  #endOf(
    { status, taskRevision }: ExecutionRecord,
    alias: string,
    { tenant, task }: { readonly tenant: string; readonly task: string },
  ): void {
    const revision = this.#revisions.of(tenant, task, taskRevision);
    this.#endedByRevision.inc({ tenant, task, alias, revision, status });
  }

  #end(record: ExecutionRecord, task: Readonly<Record<(typeof taskLabels)[number], string>>): void {
    const { runtime } = task;
    const { outcome, queueTimeMs, executionTimeMs, resourceUse, droppedBytes } = record;
    const code = outcome === undefined || outcome.status === 'completed' ? '' : outcome.code;
    this.#ended.inc({ ...task, status: record.status, error_code: code });
    if (record.alias !== undefined) this.#endOf(record, record.alias, task);
    // Of a trace that somebody can look at.
    const exemplar = record.trace?.spans === true && { exemplarLabels: { trace_id: record.trace.traceId } };
    this.#queueSeconds.observe({ labels: { runtime }, value: queueTimeMs / 1000, ...exemplar });
    this.#runSeconds.observe({ labels: { runtime }, value: executionTimeMs / 1000, ...exemplar });
    if (resourceUse.cpuTimeUs !== undefined) this.#cpuSeconds.inc({ runtime }, resourceUse.cpuTimeUs / 1e6);
    if (droppedBytes > 0) this.#droppedBytes.inc({ runtime }, droppedBytes);
  }
}
