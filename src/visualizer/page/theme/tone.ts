/** How a state looks and reads: its colour, its shape and its word. Pure. */
import { isEnded, type Status, statusOfState, statusWords } from '../model/status.ts';

/** A colour of tokens.css, as `data-tone`. */
export type Tone = Status | 'held';

/** A drawing of status-mark.tsx; each differs from all others without its colour. */
export type Shape =
  | 'dots'
  | 'clock'
  | 'pause'
  | 'arc'
  | 'retry'
  | 'square'
  | 'check'
  | 'cross'
  | 'late'
  | 'slash'
  | 'ring';

interface Look {
  readonly tone: Tone;
  readonly shape: Shape;
  readonly word: string;
}

const looks: Readonly<Record<string, Look>> = {
  pending: { tone: 'pending', shape: 'dots', word: statusWords.pending },
  'pending.waiting': { tone: 'pending', shape: 'clock', word: 'Waiting' },
  'pending.blocked': { tone: 'pending', shape: 'clock', word: 'Blocked' },
  'pending.queued': { tone: 'pending', shape: 'dots', word: 'Queued' },
  'pending.held': { tone: 'held', shape: 'pause', word: 'Held' },
  running: { tone: 'running', shape: 'arc', word: statusWords.running },
  'running.attempting': { tone: 'running', shape: 'arc', word: statusWords.running },
  'running.backingOff': { tone: 'running', shape: 'retry', word: 'Backing off' },
  'running.stopping': { tone: 'timedOut', shape: 'square', word: 'Stopping' },
  'running.suspended': { tone: 'held', shape: 'pause', word: 'Suspended' },
  completed: { tone: 'completed', shape: 'check', word: statusWords.completed },
  failed: { tone: 'failed', shape: 'cross', word: statusWords.failed },
  timedOut: { tone: 'timedOut', shape: 'late', word: statusWords.timedOut },
  cancelled: { tone: 'cancelled', shape: 'slash', word: statusWords.cancelled },
  // Nobody knows: the node is not connected.
  unknown: { tone: 'pending', shape: 'ring', word: 'Unknown' },
  // The instance and node charts.
  starting: { tone: 'pending', shape: 'dots', word: 'Starting' },
  recovering: { tone: 'running', shape: 'retry', word: 'Recovering' },
  serving: { tone: 'completed', shape: 'check', word: 'Serving' },
  draining: { tone: 'timedOut', shape: 'square', word: 'Draining' },
  idle: { tone: 'completed', shape: 'ring', word: 'Idle' },
  busy: { tone: 'running', shape: 'arc', word: 'Busy' },
  stopping: { tone: 'timedOut', shape: 'square', word: 'Stopping' },
  stopped: { tone: 'cancelled', shape: 'slash', word: 'Stopped' },
  broken: { tone: 'failed', shape: 'cross', word: 'Broken' },
  // The schedule chart.
  active: { tone: 'completed', shape: 'clock', word: 'Active' },
  'active.waiting': { tone: 'completed', shape: 'clock', word: 'Active' },
  'active.firing': { tone: 'running', shape: 'arc', word: 'Firing' },
  'active.retrying': { tone: 'timedOut', shape: 'retry', word: 'Retrying' },
  paused: { tone: 'held', shape: 'pause', word: 'Paused' },
  ended: { tone: 'cancelled', shape: 'slash', word: 'Ended' },
};

/** The look of a state of any chart; of its status where the state says nothing more. */
export function lookOf(state: string, status?: Status): Look {
  if (status !== undefined && isEnded(status)) return looks[status] as Look;
  const known = looks[state];
  if (known !== undefined) return known;
  const family = status ?? statusOfState(state);
  if (family !== undefined) return { ...(looks[family] as Look), word: state || statusWords[family] };
  return { tone: 'pending', shape: 'ring', word: state };
}
