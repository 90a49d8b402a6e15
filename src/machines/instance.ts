/**
 * The life of one instance: a guest host, a container, a process. Pure.
 *
 * starting → idle ⇄ busy → stopping → stopped
 *                              ↓
 *                           broken → stopped
 *
 * - An instance that failed goes to `stopping` and is never idle again.
 * - `broken` is one that could not be confirmed gone; it may still be found gone later.
 */
import { assign, setup } from 'xstate';
import type { InstanceEvent } from '../domain/instance.ts';

interface InstanceContext {
  readonly executionId: string;
  readonly attempt: number;
  readonly uses: number;
  readonly reason: string;
}

export const instanceMachine = setup({
  types: { context: {} as InstanceContext, events: {} as InstanceEvent },
  actions: {
    serve: assign(({ context, event }) =>
      event.type === 'bind'
        ? { executionId: event.executionId, attempt: event.attempt, uses: context.uses + 1 }
        : {},
    ),
    giveReason: assign(({ event }) =>
      event.type === 'stop' || event.type === 'stuck' ? { reason: event.reason } : {},
    ),
  },
}).createMachine({
  id: 'instance',
  context: { executionId: '', attempt: 0, uses: 0, reason: '' },
  initial: 'starting',
  on: { gone: '.stopped' },
  states: {
    starting: {
      on: {
        ready: 'idle',
        // One that is started for an execution never waits.
        bind: { target: 'busy', actions: 'serve' },
        stop: { target: 'stopping', actions: 'giveReason' },
        stuck: { target: 'broken', actions: 'giveReason' },
      },
    },
    idle: {
      on: {
        bind: { target: 'busy', actions: 'serve' },
        stop: { target: 'stopping', actions: 'giveReason' },
      },
    },
    busy: {
      on: {
        release: 'idle',
        stop: { target: 'stopping', actions: 'giveReason' },
        stuck: { target: 'broken', actions: 'giveReason' },
      },
    },
    stopping: { on: { stuck: { target: 'broken', actions: 'giveReason' } } },
    broken: {},
    stopped: { type: 'final' },
  },
});
