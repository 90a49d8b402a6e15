/** A statechart that runs in the node: the model of `Machine`. */
import type { Json, MachineJson } from '../wire.ts';

export interface MachineState {
  /** Path in the chart, such as `running.backingOff`. */
  readonly path: string;
  readonly isFinal: boolean;
  /** The chart's events that a caller can send in it. */
  readonly allowedEvents: readonly string[];
  /** All events that lead out of it or are handled in it. */
  readonly events: readonly string[];
}

export interface Machine {
  /** `execution`, `instance`, `node`. */
  readonly name: string;
  readonly version: number;
  /** {id, initial, states: {…}, on: {event: [{target, guard, actions}]}}. */
  readonly definition: { readonly [name: string]: Json };
  readonly mermaid: string;
  readonly states: readonly MachineState[];
}

export function machineOf(json: MachineJson): Machine {
  return { ...json, definition: json.definition ?? {} };
}
