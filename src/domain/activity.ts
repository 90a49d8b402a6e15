/** How much has gone on lately, in steps of the same length. */
import type { Scope } from './scope.ts';

/** Each list has an entry for each step, oldest first. */
export interface Activity {
  /** At the end of each step. */
  readonly running: readonly number[];
  readonly waiting: readonly number[];
  /** Ended within each step. */
  readonly completed: readonly number[];
  readonly failed: readonly number[];
  readonly timedOut: readonly number[];
  readonly cancelled: readonly number[];
  /** How long those had run, in milliseconds, to a twentieth; -1 where none has ended. */
  readonly p50Ms: readonly number[];
  readonly p99Ms: readonly number[];
}

/** Of the process of the node: its guests are in others. */
export interface NodeLoad {
  /** Used on average in each step. */
  readonly processors: readonly number[];
  /** At the end of each step. */
  readonly memoryBytes: readonly number[];
}

export interface ActivityView {
  readonly stepSeconds: number;
  readonly firstStep: number;
  /** Nothing is known of it yet. */
  readonly nextStep: number;
  /** When the last step that is told was over; milliseconds since the epoch. */
  readonly until: number;
  readonly total: Activity;
  readonly node: NodeLoad;
  /** The busiest; none where they were not asked for. */
  readonly tasks: readonly {
    readonly tenant: string;
    readonly task: string;
    readonly activity: Activity;
  }[];
}

export interface Activities {
  /** Of what is in scope, from a step on; 0 for all that are kept. */
  view(scope: Scope, fromStep: number, byTask: boolean): ActivityView;
}
