import type { ExecutionResult, StreamExecutionResult } from '../../src/server/gen/spearlet/function_pb.js';
import type { BatchPlan, History, Plan, Run, SchedulePlan, Told } from './history.ts';

/** What clients know of an execution. */
interface Known {
  readonly executionId: string;
  /** Unknown of what was heard of otherwise than as accepted. */
  plan?: Plan;
  /** The last event that a watcher saw. */
  seen: bigint;
  ended: boolean;
  /** Resolves when a watcher has seen output, or the end. */
  readonly wrote: PromiseWithResolvers<void>;
}

type HookParts = 'tellings' | 'unsigned' | 'deliveries';
const watchedMembers = 4;

/** Writes the history down while it happens. */
export class Scribe {
  readonly plans = new Map<number, Plan>();
  readonly told: Told[] = [];
  readonly cancelled = new Set<string>();
  readonly cancelledBatches = new Set<string>();
  /** Those that were accepted, oldest first. */
  readonly batchIds = new Set<string>();
  readonly batchPlans = new Map<number, BatchPlan>();
  readonly schedulePlans = new Map<string, SchedulePlan>();
  readonly pausedSchedules = new Set<string>();
  readonly deletedSchedules = new Set<string>();
  readonly runs: Run[] = [];
  readonly #known = new Map<string, Known>();

  plan(make: (number: number) => Plan): Plan {
    const plan = make(this.plans.size + 1);
    this.plans.set(plan.number, plan);
    return plan;
  }

  batchPlan(make: (number: number) => BatchPlan): BatchPlan {
    const plan = make(this.batchPlans.size + 1);
    this.batchPlans.set(plan.number, plan);
    return plan;
  }

  tell(told: Told): void {
    this.told.push(told);
  }

  admitted(plan: Plan, executionId: string, joined?: boolean): void {
    this.#know(executionId).plan = plan;
    this.tell({ kind: 'admitted', plan: plan.number, executionId, ...(joined !== undefined && { joined }) });
  }

  /** A few of its members are watched like others. */
  batchAdmitted(plan: BatchPlan, batchId: string, executionIds: readonly string[], joined: boolean): void {
    for (const [member, executionId] of executionIds.slice(0, watchedMembers).entries()) {
      const ofMember = this.plans.get(plan.members[member] ?? 0);
      if (ofMember !== undefined) this.#know(executionId).plan = ofMember;
    }
    this.batchIds.add(batchId);
    this.tell({ kind: 'batchAdmitted', batch: plan.number, batchId, executionIds, joined });
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

  /** Executions that were accepted, with what they are, oldest first. */
  accepted(): { readonly executionId: string; readonly plan: Plan }[] {
    return [...this.#known.values()].flatMap(({ executionId, plan }) =>
      plan === undefined ? [] : [{ executionId, plan }],
    );
  }

  /** Executions that no client knows the end of, oldest first. */
  unfinished(): string[] {
    return [...this.#known.values()].filter(({ ended }) => !ended).map(({ executionId }) => executionId);
  }

  history(end: Pick<History, 'finals' | 'batches' | 'schedules' | 'marks' | 'remains' | HookParts>): History {
    const { plans, told, cancelled, cancelledBatches, batchPlans, runs } = this;
    const { schedulePlans, pausedSchedules, deletedSchedules } = this;
    return {
      ...{ plans, told, cancelled, cancelledBatches, batchPlans, runs },
      ...{ schedulePlans, pausedSchedules, deletedSchedules },
      ...end,
    };
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
