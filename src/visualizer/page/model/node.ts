/** The node as it is now: the model of `NodeView`. */
import type { NodeViewJson } from '../wire.ts';
import { instantOf, numberOf } from './scalar.ts';
import { type Status, statusOf } from './status.ts';

export interface Supervisor {
  /** `executions`, `instances`, `tasks`. */
  readonly name: string;
  readonly state: string;
  readonly children: number;
  readonly queueLength: number;
  readonly restarts: number;
}

export interface NodeModel {
  readonly id: string;
  readonly version: string;
  /** The node chart's state. */
  readonly state: string;
  readonly startedAt: number | undefined;
  readonly slots: number;
  readonly running: number;
  readonly pending: number;
  readonly queueLimit: number;
  readonly counts: Readonly<Record<Status, number>>;
  readonly supervisors: readonly Supervisor[];
  /** As the wire has it: only ever sent back. */
  readonly position: string;
  readonly storeFault: string;
  /** HOST:PORT where gRPC listens. */
  readonly grpcAddress: string;
  /** Process tasks may be registered. */
  readonly hostAccess: boolean;
  /** Where people look at a trace, with `{trace_id}`; empty for nowhere. */
  readonly traceUrl: string;
  readonly time: number | undefined;
}

export function nodeOf(json: NodeViewJson): NodeModel {
  const counts = { pending: 0, running: 0, completed: 0, failed: 0, timedOut: 0, cancelled: 0 };
  for (const { status, count } of json.counts) counts[statusOf(status)] += numberOf(count);
  return {
    id: json.nodeId,
    version: json.version,
    state: json.state,
    startedAt: instantOf(json.startedAt),
    slots: json.slots,
    running: json.running,
    pending: json.pending,
    queueLimit: json.queueLimit,
    counts,
    supervisors: json.supervisors.map((each) => ({
      name: each.name,
      state: each.state,
      children: numberOf(each.children),
      queueLength: numberOf(each.queueLength),
      restarts: numberOf(each.restarts),
    })),
    position: json.position,
    storeFault: json.storeFault,
    grpcAddress: json.grpcAddress,
    hostAccess: json.hostAccess,
    traceUrl: json.traceUrl,
    time: instantOf(json.time),
  };
}
