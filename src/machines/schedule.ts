/**
 * The life of a schedule. Pure: when an event comes, `domain/schedule/plan.ts` says; what waits is a row of the store.
 *
 * active (waiting ⇄ firing ⇄ retrying) ⇄ paused
 *               ↓
 *             ended
 *
 * - `firing` is within the commit that admits its execution, so that no row is ever in it.
 * - `retrying` is a firing that was refused for now, within its catch-up window.
 * - `ended` has no instant left; an update may give it some.
 */
import { getNextSnapshot, type StateValue, setup } from 'xstate';

export type ScheduleEvent =
  | { readonly type: 'due' }
  | { readonly type: 'fired' }
  | { readonly type: 'skipped' }
  | { readonly type: 'refused' }
  | { readonly type: 'postponed' }
  | { readonly type: 'exhausted' }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  | { readonly type: 'update' };

export const scheduleChartVersion = 1;

export const scheduleMachine = setup({
  types: { events: {} as ScheduleEvent },
}).createMachine({
  id: 'schedule',
  initial: 'active',
  states: {
    active: {
      initial: 'waiting',
      on: { pause: 'paused', update: '.waiting' },
      states: {
        waiting: { on: { due: 'firing', exhausted: '#schedule.ended' } },
        firing: {
          on: { fired: 'waiting', skipped: 'waiting', refused: 'waiting', postponed: 'retrying' },
        },
        retrying: { on: { due: 'firing' } },
      },
    },
    paused: { on: { resume: 'active' } },
    ended: { on: { update: 'active' } },
  },
});

/** Where a new one begins. */
export const firstScheduleState = 'active.waiting';

const known = new Map<string, string | undefined>();

/** The path of the state that an event leads to; undefined where the chart takes no such event in that state. */
export function nextScheduleState(state: string, type: ScheduleEvent['type']): string | undefined {
  const key = `${state} ${type}`;
  if (!known.has(key)) known.set(key, computed(state, type));
  return known.get(key);
}

function computed(state: string, type: ScheduleEvent['type']): string | undefined {
  const [parent = '', child] = state.split('.');
  const before = scheduleMachine.resolveState({ value: child === undefined ? parent : { [parent]: child } });
  return before.can({ type }) ? pathIn(getNextSnapshot(scheduleMachine, before, { type }).value) : undefined;
}

function pathIn(value: StateValue): string {
  if (typeof value === 'string') return value;
  return Object.entries(value).map(([parent, child]) => `${parent}.${String(child)}`)[0] ?? '';
}
