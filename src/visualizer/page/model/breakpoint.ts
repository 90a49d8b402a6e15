/** Where executions are held to be looked at: the model of `Breakpoint`. */
import type { BreakpointJson } from '../wire.ts';
import { instantOf, numberOf } from './scalar.ts';

/** The states before which an execution can be held, and what that means. */
export const stops = {
  'pending.queued': 'before it is queued',
  'running.attempting': 'before an attempt starts',
  'running.backingOff': 'before a retry waits',
} as const;
export type Stop = keyof typeof stops;

export interface Breakpoint {
  readonly id: string;
  /** By id or name; empty where it is for one execution. */
  readonly task: string;
  readonly executionId: string;
  readonly before: string;
  readonly once: boolean;
  readonly createdAt: number | undefined;
  readonly hits: number;
}

export function breakpointOf(json: BreakpointJson): Breakpoint {
  return {
    id: json.breakpointId,
    task: json.task,
    executionId: json.executionId,
    before: json.before,
    once: json.once,
    createdAt: instantOf(json.createdAt),
    hits: numberOf(json.hits),
  };
}
