/** The attempts and the waits of an execution, as spans of time. Pure; made of its steps alone. */
import type { Step } from './step.ts';

export type LaneName = 'waiting' | 'queued' | 'held' | 'backoff';

/** A stay outside of an attempt. */
export interface Stay {
  readonly lane: LaneName;
  readonly state: string;
  readonly from: number;
  /** Absent where it still lasts. */
  readonly to: number | undefined;
  readonly entry: Step;
  readonly exit: Step | undefined;
}

export type AttemptEnd = 'running' | 'completed' | 'failed' | 'timedOut' | 'cancelled' | 'lost' | 'stopped';

/** What an attempt does for a while: it runs, it is being stopped, or it is paused. */
export interface Phase {
  readonly kind: 'run' | 'stop' | 'pause';
  readonly from: number;
  readonly to: number | undefined;
  readonly entry: Step;
}

export interface Attempt {
  readonly number: number;
  readonly from: number;
  readonly to: number | undefined;
  readonly phases: readonly Phase[];
  readonly end: AttemptEnd;
  /** The error code of its end; empty where the log has none, as for an attempt that is retried. */
  readonly code: string;
  readonly entry: Step;
  readonly exit: Step | undefined;
}

export interface Spans {
  readonly stays: readonly Stay[];
  readonly attempts: readonly Attempt[];
}

const lanes: Readonly<Record<string, LaneName>> = {
  'pending.waiting': 'waiting',
  'pending.queued': 'queued',
  'pending.held': 'held',
  'running.suspended': 'held',
  'running.backingOff': 'backoff',
};

/** For people. */
export const endWords: Readonly<Record<AttemptEnd, string>> = {
  running: 'running',
  completed: 'completed',
  failed: 'failed',
  timedOut: 'timed out',
  cancelled: 'cancelled',
  lost: 'lost',
  stopped: 'stopped to be held',
};

export function spansOf(steps: readonly Step[]): Spans {
  const stays: Stay[] = [];
  const attempts: Attempt[] = [];
  let stay: Step | undefined;
  let phases: Phase[] = [];

  const leave = (exit: Step | undefined): void => {
    const lane = stay === undefined ? undefined : lanes[stay.to];
    if (stay !== undefined && lane !== undefined) {
      stays.push({ lane, state: stay.to, from: stay.time, to: exit?.time, entry: stay, exit });
    }
    stay = undefined;
  };
  const finish = (exit: Step | undefined): void => {
    const attempt = attemptOf(phases, exit);
    if (attempt !== undefined) attempts.push(attempt);
    phases = [];
  };

  for (const step of steps) {
    const moved = step.from !== step.to;
    if (moved) leave(step);
    if (moved || stay === undefined) stay = step;
    if (phases.length === 0) {
      const kind = phaseOf(step);
      if (kind !== undefined && kind !== 'pause')
        phases = [{ kind, from: step.time, to: undefined, entry: step }];
      continue;
    }
    if (!moved) {
      // A paused attempt can end while the execution stays suspended.
      if (
        step.to === 'running.suspended' &&
        (step.eventType === 'attemptEnded' || step.eventType === 'lost')
      ) {
        finish(step);
      }
      continue;
    }
    const kind = phaseOf(step);
    if (kind === undefined) finish(step);
    else phases = [...ended(phases, step.time), { kind, from: step.time, to: undefined, entry: step }];
  }
  leave(undefined);
  finish(undefined);
  return { stays, attempts };
}

function phaseOf({ to, eventType }: Step): Phase['kind'] | undefined {
  if (to === 'running.attempting') return 'run';
  if (to === 'running.stopping') return 'stop';
  return to === 'running.suspended' && eventType === 'paused' ? 'pause' : undefined;
}

function ended(phases: readonly Phase[], to: number | undefined): Phase[] {
  return phases.map((phase, index) => (index === phases.length - 1 ? { ...phase, to } : phase));
}

function attemptOf(phases: readonly Phase[], exit: Step | undefined): Attempt | undefined {
  const entry = phases[0]?.entry;
  if (entry === undefined) return undefined;
  const stopped = phases.findLast(({ kind }) => kind === 'stop')?.entry.reasonCode ?? '';
  const code = exit === undefined ? '' : exit.reasonCode || stopped;
  return {
    number: entry.attempt,
    from: entry.time,
    to: exit?.time,
    phases: ended(phases, exit?.time),
    end: exit === undefined ? 'running' : endOf(exit, code),
    code,
    entry,
    exit,
  };
}

function endOf({ from, to, eventType, isFinal }: Step, code: string): AttemptEnd {
  if (eventType === 'lost') return 'lost';
  if (isFinal && (to === 'completed' || to === 'failed' || to === 'timedOut' || to === 'cancelled'))
    return to;
  if (code.endsWith('_TIMEOUT')) return 'timedOut';
  if (to === 'running.suspended' && from === 'running.stopping' && code === '') return 'stopped';
  return 'failed';
}
