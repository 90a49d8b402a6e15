import { type ActorRefFrom, type AnyActorRef, createActor } from 'xstate';
import { compiled } from '../../machines/compiled-chart.ts';
import {
  blockedExecutionMachine,
  delayedExecutionMachine,
  executionMachine,
  machineFor,
} from '../../machines/execution.ts';
import type { ExecutionInput } from '../../machines/execution-context.ts';
import type { Slots } from '../queue/slots.ts';
import type { Alarms } from './alarms.ts';
import type { LiveExecution } from './live-execution.ts';

/** What a chart asks for and its supervisor does, once the change is in the log. */
export type Effect = 'requestSlot' | 'startAttempt' | 'stopAttempt';

/** Makes the actors of executions: the pure charts, with the node's alarms and slots as their actions. */
export class ExecutionActors {
  readonly #machines: ReadonlyMap<typeof executionMachine, typeof executionMachine>;
  #wanted: Effect[] = [];

  constructor(alarms: Alarms, slots: Slots) {
    const provided = (machine: typeof executionMachine) =>
      compiled(
        machine.provide({
          actions: {
            armAlarm: ({ context }, { at }) => alarms.set(context.executionId, at),
            releaseSlot: ({ context }) => slots.release(context.executionId),
            takeSlot: ({ context }) => slots.hold(context.executionId),
            requestSlot: () => void this.#wanted.push('requestSlot'),
            startAttempt: () => void this.#wanted.push('startAttempt'),
            stopAttempt: () => void this.#wanted.push('stopAttempt'),
          },
        }),
      );
    // Once, not for each execution: it builds the machine anew.
    this.#machines = new Map(
      [executionMachine, delayedExecutionMachine, blockedExecutionMachine].map((machine) => [
        machine,
        provided(machine),
      ]),
    );
  }

  /** What was asked for since the last call. */
  takeWanted(): readonly Effect[] {
    if (this.#wanted.length === 0) return none;
    const wanted = this.#wanted;
    this.#wanted = [];
    return wanted;
  }

  /**
   * The actor of an execution, started where it was not: at its input, or at the snapshot of one that was revived. That has no
   * actor before something happens to it, as most that wait are many.
   */
  of(execution: LiveExecution, parent: AnyActorRef): ActorRefFrom<typeof executionMachine> | undefined {
    const { actor: known, input, snapshot } = execution;
    if (known !== undefined) return known;
    const machine = input === undefined ? executionMachine : machineFor(input);
    const logic = this.#machines.get(machine) ?? machine;
    const options = { id: execution.executionId, parent };
    const actor =
      snapshot !== undefined
        ? createActor(logic, { ...options, ...unread, snapshot })
        : input !== undefined && createActor(logic, { ...options, input });
    if (!actor) return undefined;
    execution.actor = actor;
    // An actor without an error observer throws into the process.
    actor.subscribe({ error: ignoreHere });
    actor.start();
    return actor;
  }
}

const none: readonly Effect[] = [];

/** A snapshot brings its context: the input, which the types ask for, is never looked at. */
const unread = { input: {} as ExecutionInput };

/** The error is read from the snapshot in the same turn. */
const ignoreHere = (_error: unknown): void => {};
