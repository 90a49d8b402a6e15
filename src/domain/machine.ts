import type { JsonValue } from './execution.ts';

/** A statechart that runs in a node, as others can read it. */
export interface MachineDescription {
  readonly name: string;
  readonly version: number;
  /**
   * States and transitions as a configuration that XState takes: actions and guards by name, targets by the id of
   * their state (`#execution.running.stopping`).
   */
  readonly definition: { [key: string]: JsonValue };
  /** The same as a Mermaid state diagram. */
  readonly mermaid: string;
  readonly states: readonly MachineState[];
}

export interface MachineState {
  /** Path in the chart, such as `running.backingOff`. */
  readonly path: string;
  /** Nothing leaves it. */
  readonly isFinal: boolean;
  /** The chart's events that a caller can send in it. */
  readonly allowedEvents: readonly string[];
  /** All events that lead out of it or are handled in it, those of its parents included. */
  readonly events: readonly string[];
}
