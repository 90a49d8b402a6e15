import type { ExecutionResult, StreamExecutionResult } from '../../src/server/gen/spearlet/function_pb.js';
import type { History, Plan, Run, Told } from './history.ts';

/** What clients know of an execution. */
interface Known {
  readonly executionId: string;
  /** The last event that a watcher saw. */
  seen: bigint;
  ended: boolean;
  /** Resolves when a watcher has seen output, or the end. */
  readonly wrote: PromiseWithResolvers<void>;
}

type HookParts = 'tellings' | 'unsigned' | 'deliveries';

/** Writes the history down while it happens. */
export class Scribe {
  readonly plans = new Map<number, Plan>();
  readonly told: Told[] = [];
  readonly cancelled = new Set<string>();
  readonly runs: Run[] = [];
  readonly #known = new Map<string, Known>();

  plan(make: (number: number) => Plan): Plan {
    const plan = make(this.plans.size + 1);
    this.plans.set(plan.number, plan);
    return plan;
  }

  tell(told: Told): void {
    this.told.push(told);
  }

  admitted(plan: Plan, executionId: string, joined?: boolean): void {
    this.#know(executionId);
    this.tell({ kind: 'admitted', plan: plan.number, executionId, ...(joined !== undefined && { joined }) });
  }

  view(result: ExecutionResult, lastSequence: bigint, withOutput: boolean): void {
    const { executionId, isCompleted } = result;
    const known = this.#know(executionId);
    known.ended ||= isCompleted;
    this.tell({ kind: 'view', executionId, result, lastSequence: Number(lastSequence), withOutput });
  }

  event(event: StreamExecutionResult): void {
    const { executionId, sequence, isFinal } = event;
    const known = this.#know(executionId);
    if (sequence > known.seen) known.seen = sequence;
    known.ended ||= isFinal;
    if (isFinal || event.event.case === 'chunk') known.wrote.resolve();
    this.tell({ kind: 'event', executionId, event });
  }

  seen(executionId: string): bigint {
    return this.#know(executionId).seen;
  }

  /** Resolves when a watcher has seen output of it, or its end. */
  wrote(executionId: string): Promise<void> {
    return this.#know(executionId).wrote.promise;
  }

  /** Executions that no client knows the end of, oldest first. */
  unfinished(): string[] {
    return [...this.#known.values()].filter(({ ended }) => !ended).map(({ executionId }) => executionId);
  }

  history(end: Pick<History, 'finals' | 'marks' | 'remains' | HookParts>): History {
    const { plans, told, cancelled, runs } = this;
    return { plans, told, cancelled, runs, ...end };
  }

  #know(executionId: string): Known {
    let known = this.#known.get(executionId);
    if (known === undefined) {
      known = { executionId, seen: 0n, ended: false, wrote: Promise.withResolvers<void>() };
      this.#known.set(executionId, known);
    }
    return known;
  }
}
