import { describe, expect, test } from 'vitest';
import { createMachine } from 'xstate';
import type { MachineDescription } from '../../src/domain/machine.ts';
import { describeMachines } from '../../src/machines/describe.ts';
import { executionChartVersion, executionMachine } from '../../src/machines/execution.ts';
import { instanceMachine } from '../../src/machines/instance.ts';
import { nodeMachine } from '../../src/machines/node.ts';
import { scheduleMachine } from '../../src/machines/schedule.ts';

const machines = {
  execution: executionMachine,
  instance: instanceMachine,
  node: nodeMachine,
  schedule: scheduleMachine,
};
const descriptions = describeMachines();

interface Leaf {
  readonly path: string;
  readonly final: boolean;
}

/** Every innermost state, as XState itself has it. */
function leaves(node: (typeof executionMachine)['root']): Leaf[] {
  const children = Object.values(node.states) as (typeof node)[];
  if (children.length > 0) return children.flatMap(leaves);
  return [{ path: node.path.join('.'), final: node.type === 'final' }];
}

function machineOf({ name }: MachineDescription) {
  return machines[name as keyof typeof machines] as unknown as typeof executionMachine;
}

test('the charts that run are described, with their versions', () => {
  expect(descriptions.map(({ name, version }) => [name, version])).toEqual([
    ['execution', executionChartVersion],
    ['instance', 1],
    ['node', 1],
    ['schedule', 1],
  ]);
});

describe.each(descriptions.map((each) => [each.name, each] as const))(
  'the %s chart',
  (_name, description) => {
    const machine = machineOf(description);

    test('has the states of the machine, and says which are final', () => {
      const told = description.states.map(({ path, isFinal }) => ({ path, final: isFinal }));
      expect(told).toEqual(leaves(machine.root));
    });

    test('has a definition that XState makes the same states and transitions of', () => {
      const again = createMachine(description.definition as never) as unknown as typeof executionMachine;
      expect(again.events.toSorted()).toEqual(machine.events.toSorted());
      expect(leaves(again.root)).toEqual(leaves(machine.root));
      const arrows = (node: (typeof executionMachine)['root']): unknown[] => [
        [...node.transitions].map(([event, all]) => [
          event,
          all.map(({ target, guard }) => [
            target?.map(({ id }) => id),
            typeof guard === 'object' ? guard : guard,
          ]),
        ]),
        ...Object.values(node.states).map((child) => arrows(child as typeof node)),
      ];
      expect(arrows(again.root)).toEqual(arrows(machine.root));
    });

    test('is drawn with every state once, and an arrow for each pair of states that has a transition', () => {
      const lines = description.mermaid.split('\n').map((line) => line.trim());
      expect(lines[0]).toBe('stateDiagram-v2');
      const drawn = lines.flatMap((line) => /^state "\w+" as (\w+)/.exec(line)?.[1] ?? []);
      const states = machine.root.states as Record<string, (typeof machine)['root']>;
      const paths = Object.values(states).flatMap(function each(node): string[] {
        return [node.path.join('_'), ...Object.values(node.states as typeof states).flatMap(each)];
      });
      expect(drawn.toSorted()).toEqual(paths.toSorted());
      for (const line of lines.filter((each) => each.includes('-->'))) {
        const [, from, to] = /^(\S+) --> (\S+)( : .+)?$/.exec(line) ?? [];
        for (const end of [from, to]) expect([...paths, '[*]'], line).toContain(end);
      }
      expect(lines.filter((line) => line.endsWith('{'))).toHaveLength(
        lines.filter((line) => line === '}').length,
      );
      for (const [event] of description.states.flatMap(({ events }) => events.map((each) => [each]))) {
        expect(description.mermaid).toMatch(new RegExp(`[:,] ${event}\\b`));
      }
    });
  },
);

test('callers may send what the status of an execution says, and nothing to instances and nodes', () => {
  const [execution, ...others] = descriptions.filter(({ name }) => name !== 'schedule');
  const allowed = Object.fromEntries(
    execution?.states.map((state) => [state.path, state.allowedEvents]) ?? [],
  );
  expect(allowed).toMatchObject({
    'pending.held': ['cancel', 'resume'],
    'running.attempting': ['cancel', 'suspend'],
    'running.stopping': ['cancel'],
    completed: [],
  });
  for (const { states } of others) expect(states.flatMap((state) => state.allowedEvents)).toEqual([]);
});

test('both entrances of an execution are drawn, and what holds in a state of its parents is its own', () => {
  const [execution] = descriptions;
  expect(execution?.mermaid).toContain('[*] --> pending_queued\n    [*] --> pending_waiting\n');
  const queued = execution?.states.find(({ path }) => path === 'pending.queued');
  expect(queued?.events).toEqual(expect.arrayContaining(['dispatch', 'cancel', 'detach']));
});
