/** Running again what has ended: the rules, and what is counted of it. */
import { invalidArgument, quote } from './errors.ts';
import type { ExecutionRecord, ExecutionStatus } from './execution.ts';
import { isTerminal } from './execution.ts';

/** Why an execution cannot be run again. */
export const rerunRefusals = [
  'alreadyRerun',
  'executionGone',
  'notEnded',
  'moved',
  'taskGone',
  'revisionGone',
  'inputGone',
  'refused',
] as const;
export type RerunRefusal = (typeof rerunRefusals)[number];

/** What begins the invocation ids of executions that were made to run others again; callers have none that begins so. */
export const rerunPrefix = 'rerun/';

const idPattern = /^[A-Za-z0-9._-]{1,63}$/;

/** Throws invalid_argument for what is no name of a run. */
export function checkRerunId(value: string): string {
  if (idPattern.test(value)) return value;
  throw invalidArgument('rerun_id', `is ${quote(value)}; allowed are 1 to 63 of [A-Za-z0-9._-]`);
}

/**
 * The invocation id of an execution that runs another again, whose record holds it: so it is made once, whatever happens
 * between. Only who does it `again` makes another for each run.
 */
export function rerunKey(originId: string, rerunId: string, again: boolean): string {
  return again ? `${rerunPrefix}${originId}/${rerunId}` : `${rerunPrefix}${originId}`;
}

/** Why a record cannot be run again, as far as it tells by itself. */
export function refusalOf({ status, outcome }: ExecutionRecord): RerunRefusal | undefined {
  if (!isTerminal(status)) return 'notEnded';
  return outcome !== undefined && outcome.status !== 'completed' && outcome.code === 'MOVED'
    ? 'moved'
    : undefined;
}

export interface RerunCounts {
  readonly matched: number;
  readonly possible: number;
  readonly refused: ReadonlyMap<RerunRefusal, number>;
  /** Those that were found are among them. */
  readonly started: number;
  readonly found: number;
  readonly ended: ReadonlyMap<ExecutionStatus, number>;
}

/** How far a run is. */
export class RerunTally implements RerunCounts {
  matched = 0;
  possible = 0;
  started = 0;
  found = 0;
  readonly refused = new Map<RerunRefusal, number>();
  readonly ended = new Map<ExecutionStatus, number>();

  refuse(refusal: RerunRefusal): number {
    const count = (this.refused.get(refusal) ?? 0) + 1;
    this.refused.set(refusal, count);
    return count;
  }

  start(wasFound: boolean): void {
    this.started += 1;
    if (wasFound) this.found += 1;
  }

  end(status: ExecutionStatus): void {
    this.ended.set(status, (this.ended.get(status) ?? 0) + 1);
  }
}
