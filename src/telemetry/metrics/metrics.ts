/** The numbers of a node, as OpenMetrics: one registry, because prom-client renames counters in place for that form. */
import { collectDefaultMetrics, type OpenMetricsContentType, Registry } from 'prom-client';
import type { RuntimeKind } from '../../domain/task.ts';
import { addCacheMetrics, type CacheSource } from './cache-metrics.ts';
import { CallMetrics } from './call-metrics.ts';
import { addClusterMetrics, addNodeInfo, type ClusterSource, type NodeNames } from './cluster-metrics.ts';
import { ExecutionMetrics } from './execution-metrics.ts';
import { NodeMetrics, type NodeSource } from './node-metrics.ts';
import { ScheduleMetrics } from './schedule-metrics.ts';
import { StoreMetrics, type StoreSource } from './store-metrics.ts';
import { TraceMetrics } from './trace-metrics.ts';
import { addWebhookMetrics, type WebhookSource } from './webhook-metrics.ts';

export interface MetricSources {
  readonly names: NodeNames;
  readonly node: NodeSource;
  readonly store: StoreSource;
  /** Of all tasks. */
  readonly cache: CacheSource;
  readonly webhooks: WebhookSource;
  /** Absent where no other node can share the store. */
  readonly cluster?: ClusterSource | undefined;
  /** Of an execution that lives. */
  runtimeOf(executionId: string): RuntimeKind | undefined;
  /** SERVICE/METHOD of all that are served. */
  readonly methods: Iterable<string>;
}

export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

let processRegistry: Registry<OpenMetricsContentType> | undefined;

/** Processor time, memory, garbage collection and the delay of the event loop: what watches them is never taken away. */
function ofProcess(): Registry<OpenMetricsContentType> {
  if (processRegistry === undefined) {
    processRegistry = new Registry<OpenMetricsContentType>();
    processRegistry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    collectDefaultMetrics({ register: processRegistry });
  }
  return processRegistry;
}

export class Metrics {
  readonly #registry = new Registry<OpenMetricsContentType>();
  readonly executions: ExecutionMetrics;
  readonly store: StoreMetrics;
  readonly node: NodeMetrics;
  readonly calls: CallMetrics;
  readonly schedules: ScheduleMetrics;
  readonly traces: TraceMetrics;

  constructor({ names, node, store, cache, webhooks, cluster, runtimeOf, methods }: MetricSources) {
    this.#registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    const registers = [this.#registry];
    addNodeInfo(registers, names);
    this.executions = new ExecutionMetrics(registers, runtimeOf);
    this.store = new StoreMetrics(registers, store);
    this.node = new NodeMetrics(registers, node);
    addCacheMetrics(registers, cache);
    addWebhookMetrics(registers, webhooks);
    if (cluster !== undefined) addClusterMetrics(registers, cluster);
    this.calls = new CallMetrics(registers, methods);
    this.schedules = new ScheduleMetrics(registers);
    this.traces = new TraceMetrics(registers);
    ofProcess();
  }

  async text(): Promise<MetricsText> {
    const texts = await Promise.all([ofProcess().metrics(), this.#registry.metrics()]);
    const [process, node] = texts.map((text) => text.replace(/# EOF\n$/, ''));
    return { contentType: this.#registry.contentType, text: `${process}${node}# EOF\n` };
  }
}
