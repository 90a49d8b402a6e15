import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AnyStateMachine,
  type AnyStateNode,
  assign,
  createActor,
  createMachine,
  getInitialSnapshot,
  type SnapshotFrom,
  type StateValue,
  setup,
  transition,
} from 'xstate';
import type { InstanceEvent } from '../../src/domain/instance.ts';
import { compiled } from '../../src/machines/compiled-chart.ts';
import { type ExecutionSnapshot, executionMachine, machineFor } from '../../src/machines/execution.ts';
import type {
  ExecutionContext,
  ExecutionEvent,
  ExecutionInput,
} from '../../src/machines/execution-context.ts';
import { instanceMachine } from '../../src/machines/instance.ts';
import { events, input } from './arbitrary.ts';
import { inputWith, t0 } from './chart.ts';

type Run = (machine: typeof executionMachine) => typeof executionMachine;

/** An actor of the chart, and what it shows after each event. */
class Shown {
  readonly effects: string[] = [];
  readonly actor;

  constructor(run: Run, input: ExecutionInput, cut?: unknown) {
    const effect = (name: string) => () => void this.effects.push(name);
    const machine = run(
      machineFor(input).provide({
        actions: {
          armAlarm: ({ context, event }, { at }) =>
            void this.effects.push(`armAlarm ${at} ${context.attempt} ${event.type}`),
          requestSlot: effect('requestSlot'),
          takeSlot: effect('takeSlot'),
          releaseSlot: effect('releaseSlot'),
          startAttempt: effect('startAttempt'),
          stopAttempt: effect('stopAttempt'),
        },
      }),
    );
    this.actor = createActor(machine, {
      input,
      ...(cut !== undefined && { snapshot: cut as ReturnType<typeof machine.getPersistedSnapshot> }),
    });
    this.actor.start();
  }

  send(event: ExecutionEvent) {
    const before = this.actor.getSnapshot();
    this.actor.send(event);
    const after = this.actor.getSnapshot();
    return { ...this.now, changed: after !== before };
  }

  get now() {
    const snapshot = this.actor.getSnapshot();
    const { status, value, context, output, error } = snapshot;
    return {
      status,
      value,
      context,
      output,
      error,
      effects: this.effects.splice(0),
      states: snapshot._nodes.map(({ id }) => id).sort(),
      running: snapshot.matches('running'),
      mayCancel: snapshot.can({ type: 'cancel', at: 0, reason: '' }),
    };
  }
}

function inner(node: AnyStateNode): AnyStateNode[] {
  const children: AnyStateNode[] = Object.values(node.states);
  return children.length === 0 ? [node] : children.flatMap(inner);
}

function leaves(machine: AnyStateMachine): StateValue[] {
  return inner(machine.root).map(({ path: [first = '', second] }) =>
    second === undefined ? first : { [first]: second },
  );
}

/** Each innermost state with each event that it or a state around it takes. */
function accepted(machine: AnyStateMachine): string[] {
  return inner(machine.root).flatMap((leaf, index) => {
    // A state and the one around it may both answer an event, each under its own conditions.
    const own = [...new Set([...leaf.ownEvents, ...(leaf.parent?.ownEvents ?? [])])];
    return own.map((event) => `${JSON.stringify(leaves(machine)[index])} ${event}`);
  });
}

const instant = fc.option(fc.integer({ min: t0, max: t0 + 8000 }), { freq: 2 });
const context = fc.record<Partial<ExecutionContext>>({
  attempt: fc.integer({ min: 1, max: 4 }),
  lost: fc.integer({ min: 0, max: 1 }),
  startAt: instant,
  queueDeadline: instant,
  attemptDeadline: instant,
  retryAt: instant,
  stopDeadline: instant,
  stoppingSince: instant,
  heldSince: instant,
  blockedSince: instant,
  pausedAttempt: fc.option(fc.constant(1)),
  cause: fc.option(
    fc.record({
      code: fc.constantFrom('CANCELLED', 'TOTAL_TIMEOUT', 'ATTEMPT_TIMEOUT', 'OUTPUT_LIMIT'),
      message: fc.constant('m'),
    }),
    { freq: 2 },
  ),
});

const asXState: Run = (machine) => machine;

describe('the chart of an execution as a table', () => {
  it('goes where XState goes, with the same effects, whatever comes', () => {
    fc.assert(
      fc.property(input, events, (begun, sequence) => {
        const [slow, quick] = [new Shown(asXState, begun), new Shown(compiled, begun)];
        expect(quick.now).toEqual(slow.now);
        for (const event of sequence) {
          if (slow.actor.getSnapshot().status !== 'active') break;
          expect(quick.send(event)).toEqual(slow.send(event));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('takes each event in each state as XState does, whatever its context', () => {
    const table = compiled(executionMachine);
    const states = leaves(executionMachine);
    const taken = new Set<string>();
    const step = (machine: typeof executionMachine, snapshot: ExecutionSnapshot, event: ExecutionEvent) => {
      const [next, actions] = transition(machine, snapshot, event);
      const { status, value, context, output, error } = next;
      return {
        ...{ status, value, context, output, error, changed: next !== snapshot },
        actions: actions.map(({ type, params }) => ({ type, params })),
      };
    };
    fc.assert(
      fc.property(input, context, events, (begun, more, sequence) => {
        const begins = getInitialSnapshot(machineFor(begun), begun).context;
        for (const value of states) {
          const snapshot = executionMachine.resolveState({ value, context: { ...begins, ...more } });
          for (const event of sequence) {
            const told = step(executionMachine, snapshot, event);
            expect(step(table, snapshot, event)).toEqual(told);
            if (told.changed) taken.add(`${JSON.stringify(value)} ${event.type}`);
          }
        }
      }),
      { numRuns: 100 },
    );
    // Each event that a state has an answer to was taken, or the above says little.
    expect([...taken].sort()).toEqual(accepted(executionMachine).sort());
  });

  it('goes on from a persisted snapshot as XState does', () => {
    fc.assert(
      fc.property(input, events, fc.nat({ max: 20 }), (begun, sequence, cut) => {
        const first = new Shown(asXState, begun);
        for (const event of sequence.slice(0, cut)) {
          if (first.actor.getSnapshot().status === 'active') first.send(event);
        }
        const persisted = JSON.parse(JSON.stringify(first.actor.getPersistedSnapshot())) as unknown;
        const [slow, quick] = [new Shown(asXState, begun, persisted), new Shown(compiled, begun, persisted)];
        for (const event of sequence.slice(cut)) {
          if (slow.actor.getSnapshot().status !== 'active') break;
          expect(quick.send(event)).toEqual(slow.send(event));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('is stopped as XState stops it', () => {
    const shown = new Shown(compiled, inputWith());
    shown.actor.stop();
    expect(shown.actor.getSnapshot().status).toBe('stopped');
  });

  it('leaves an error of an effect with the actor', () => {
    const broken = compiled(
      executionMachine.provide({
        actions: {
          startAttempt: () => {
            throw new Error('no room');
          },
        },
      }),
    );
    const actor = createActor(broken, { input: inputWith() });
    const errors: unknown[] = [];
    actor.subscribe({ error: (error) => errors.push(error) });
    actor.start();
    actor.send({ type: 'dispatch', at: 1 });
    expect(actor.getSnapshot().status).toBe('error');
    expect(errors).toEqual([new Error('no room')]);
  });
});

it('the chart of an instance goes where XState goes', () => {
  const event = fc.constantFrom<InstanceEvent>(
    { type: 'ready' },
    { type: 'bind', executionId: 'exec_1', attempt: 2 },
    { type: 'release' },
    { type: 'stop', reason: 'used' },
    { type: 'stuck', reason: 'deaf' },
    { type: 'gone' },
  );
  const table = compiled(instanceMachine);
  const shown = ({ status, value, context }: SnapshotFrom<typeof instanceMachine>) => ({
    ...{ status, value, context },
  });
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(event, { maxLength: 12 }), (events) => {
      let slow = getInitialSnapshot(instanceMachine);
      let quick = getInitialSnapshot(table);
      for (const each of events) {
        const [nextSlow] = transition(instanceMachine, slow, each);
        const [nextQuick] = transition(table, quick, each);
        expect(shown(nextQuick)).toEqual(shown(nextSlow));
        expect(nextQuick === quick).toBe(nextSlow === slow);
        [slow, quick] = [nextSlow, nextQuick];
        seen.add(slow.value);
        if (slow.status !== 'active') break;
      }
    }),
    { numRuns: 300 },
  );
  expect(seen.size).toBe(6);
});

describe('what a table cannot hold is refused', () => {
  const from = (states: object, root: object = {}) =>
    createMachine({ id: 'm', initial: 'a', states: { b: {}, ...states }, ...root } as Parameters<
      typeof createMachine
    >[0]);
  const never = () => false;

  it.each<[part: string, machine: AnyStateMachine]>([
    ['the parallel state in m', from({ a: {} }, { type: 'parallel', initial: undefined })],
    ['the history state in m.h', from({ a: {}, h: { type: 'history' } })],
    ['exit actions in m.a', from({ a: { exit: () => {} } })],
    ['always in m.a', from({ a: { always: { guard: never, target: 'b' } } })],
    ['after in m.a', from({ a: { after: { 10: 'b' } } })],
    ['onDone in m.a', from({ a: { initial: 'x', states: { x: {} }, onDone: 'b' } })],
    ['a wildcard in m.a', from({ a: { on: { '*': 'b' } } })],
    [
      'a target that holds it, or that is entered anew within it in m.a',
      from({ a: { on: { go: { target: 'a' } } } }),
    ],
    [
      'a target that holds it, or that is entered anew within it in m.a',
      from({ a: { initial: 'x', states: { x: {}, y: {} }, on: { go: { target: '.y', reenter: true } } } }),
    ],
    ['the guard ', from({ a: { on: { go: { guard: never, target: 'b' } } } })],
    ['the action ', from({ a: { entry: () => {} } })],
    [
      'the action change',
      setup({
        types: { context: {} as { readonly n: number } },
        actions: { change: assign({ n: ({ context }) => context.n + 1 }) },
      }).createMachine({ id: 'm', context: { n: 0 }, entry: 'change' }),
    ],
  ])('%s', (part, machine) => {
    expect(() => compiled(machine)).toThrow(`a chart with ${part}`);
  });
});
