/** The charts as others can read them, made of the machines that run. Pure. */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { callerEvents, type ExecutionStatus, type JsonValue } from '../domain/execution.ts';
import type { MachineDescription, MachineState } from '../domain/machine.ts';
import { scheduleEvents } from '../domain/schedule/schedule.ts';
import {
  blockedExecutionMachine,
  delayedExecutionMachine,
  executionChartVersion,
  executionMachine,
} from './execution.ts';
import { instanceMachine } from './instance.ts';
import { mermaidOf } from './mermaid.ts';
import { nodeMachine } from './node.ts';
import { scheduleChartVersion, scheduleMachine } from './schedule.ts';
import { initialOf, nameOf, pathOf } from './state-node.ts';

/** The charts that run in a node. */
export function describeMachines(): readonly MachineDescription[] {
  return [
    describeMachine('execution', executionChartVersion, executionMachine, {
      allowed: (path) => callerEvents({ status: statusOf(path), state: path }),
      otherEntrances: [delayedExecutionMachine, blockedExecutionMachine],
    }),
    describeMachine('instance', 1, instanceMachine),
    describeMachine('node', 1, nodeMachine),
    describeMachine('schedule', scheduleChartVersion, scheduleMachine, { allowed: scheduleEvents }),
  ];
}

interface Describing {
  /** What callers may send in a state; nothing where nobody may. */
  readonly allowed?: (path: string) => readonly string[];
  /** The same chart, entered elsewhere. */
  readonly otherEntrances?: readonly AnyStateMachine[];
}

export function describeMachine(
  name: string,
  version: number,
  machine: AnyStateMachine,
  { allowed = () => [], otherEntrances = [] }: Describing = {},
): MachineDescription {
  const definition = definitionOf(machine.root);
  return {
    name,
    version,
    definition,
    mermaid: mermaidOf(
      machine.root,
      otherEntrances.map(({ root }) => root),
    ),
    states: leavesOf(machine.root).map((node) => stateOf(node, allowed)),
  };
}

/** A state and what is in it, as a configuration that XState takes. */
function definitionOf(node: AnyStateNode): { [key: string]: JsonValue } {
  const children = Object.values(node.states);
  const on = transitionsOf(node);
  return {
    id: node.id,
    ...(node.type === 'final' && { type: 'final' }),
    ...(children.length > 0 && { initial: initialOf(node)?.key ?? '' }),
    ...(node.entry.length > 0 && { entry: node.entry.map(nameOf) }),
    ...(Object.keys(on).length > 0 && { on }),
    ...(children.length > 0 && {
      states: Object.fromEntries(children.map((child) => [child.key, definitionOf(child)])),
    }),
  };
}

function transitionsOf(node: AnyStateNode): { [event: string]: JsonValue } {
  return Object.fromEntries(
    [...node.transitions].map(([event, transitions]) => [event, transitions.map(transitionOf)]),
  );
}

function transitionOf({ target, guard, actions, reenter }: AnyTransitionDefinition): {
  [key: string]: JsonValue;
} {
  return {
    ...(target?.[0] !== undefined && { target: `#${target[0].id}` }),
    ...(guard !== undefined && { guard: nameOf(guard) }),
    ...(actions.length > 0 && { actions: actions.map(nameOf) }),
    ...(reenter === true && { reenter }),
  };
}

function leavesOf(node: AnyStateNode): AnyStateNode[] {
  const children = Object.values(node.states);
  return children.length === 0 ? [node] : children.flatMap(leavesOf);
}

function stateOf(node: AnyStateNode, allowed: NonNullable<Describing['allowed']>): MachineState {
  const path = pathOf(node);
  const isFinal = node.type === 'final';
  return { path, isFinal, allowedEvents: allowed(path), events: isFinal ? [] : eventsOf(node) };
}

/** Of the state and of those around it, the innermost first. */
function eventsOf(node: AnyStateNode): string[] {
  const events = new Set(node.transitions.keys());
  for (let each = node.parent; each !== undefined; each = each.parent) {
    for (const event of each.transitions.keys()) events.add(event);
  }
  return [...events];
}

function statusOf(path: string): ExecutionStatus {
  return (path.split('.')[0] ?? path) as ExecutionStatus;
}
