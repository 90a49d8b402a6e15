/** The state of an execution at one event, folded from its log. */
import type { Status } from '../../model/status.ts';
import type { Context } from './context.ts';
import type { Step } from './step.ts';

/** How often the transition from one state to another was taken, and when last. */
export interface TransitionCount {
  /** Empty for the admission. */
  readonly from: string;
  readonly to: string;
  /** How often by each event. */
  readonly events: ReadonlyMap<string, number>;
  readonly count: number;
  /** Sequence number of the last time. */
  readonly last: number;
}

export interface LogState {
  /** 0 before the first event. */
  readonly sequence: number;
  readonly time: number;
  /** Path in the chart; empty before the admission. */
  readonly state: string;
  readonly status: Status;
  readonly attempt: number;
  readonly context: Context;
  /** As it was before the last step up to here. */
  readonly contextBefore: Context;
  /** The last step up to here. */
  readonly step: Step | undefined;
  /** Ways taken up to here, by `transitionKey`. */
  readonly ways: ReadonlyMap<string, TransitionCount>;
  /** How often each state was entered up to here. */
  readonly visits: ReadonlyMap<string, number>;
  /** Pieces of output, and their bytes, up to here. */
  readonly chunks: number;
  readonly outputBytes: number;
}

export function transitionKey(from: string, to: string): string {
  return `${from}→${to}`;
}

/** How often the next run of the node has followed an attempt again, up to there. */
export function timesReattached({ ways }: LogState): number {
  let times = 0;
  for (const { events } of ways.values()) times += events.get('reattached') ?? 0;
  return times;
}
