import { timestampMs } from '@bufbuild/protobuf/wkt';
import { type ExecutionResult, ExecutionStatus } from '../../server/gen/spearlet/function_pb.js';
import type { NodeView, WatchNodeResponse } from '../../server/gen/spearlet/node_pb.js';

/** As many as anybody scrolls through. */
const mostRows = 5000;

/** What runs and waits on a node, as its news have it. */
export class NodeBoard {
  readonly #live = new Map<string, ExecutionResult>();
  #node: NodeView | undefined;
  /** Ours minus the node's, in milliseconds: durations go on between two pieces of news. */
  #skewMs = 0;
  /** The news are not all there are: list again. */
  stale = true;

  get node(): NodeView | undefined {
    return this.#node;
  }

  /** Those that have not ended, from a list of the node's. */
  begin(results: readonly ExecutionResult[]): void {
    this.#live.clear();
    this.stale = false;
    for (const result of results) this.#put(result);
  }

  /** `now` is our clock, in milliseconds since the epoch. */
  take({ executions, deletedExecutionIds, node, reset }: WatchNodeResponse, now: number): void {
    if (reset) this.stale = true;
    for (const result of executions) this.#put(result);
    for (const executionId of deletedExecutionIds) this.#live.delete(executionId);
    if (node === undefined) return;
    this.#node = node;
    if (node.time !== undefined) this.#skewMs = now - timestampMs(node.time);
  }

  /** The node's clock at an instant of ours. */
  nodeTime(now: number): number {
    return now - this.#skewMs;
  }

  /** What runs first, each kind in the order of admission. */
  rows(): readonly ExecutionResult[] {
    return [...this.#live.values()].sort(
      (a, b) => rank(a) - rank(b) || (a.executionId < b.executionId ? -1 : 1),
    );
  }

  #put(result: ExecutionResult): void {
    const { executionId } = result;
    if (result.isCompleted) this.#live.delete(executionId);
    else if (this.#live.has(executionId) || this.#live.size < mostRows) this.#live.set(executionId, result);
  }
}

function rank({ status }: ExecutionResult): number {
  return status === ExecutionStatus.RUNNING ? 0 : 1;
}
