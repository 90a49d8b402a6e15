import { expect, test } from 'vitest';
import { executionMachine } from '../../../../src/machines/execution.ts';
import { instanceMachine } from '../../../../src/machines/instance.ts';
import { nodeMachine } from '../../../../src/machines/node.ts';
import { drawnWays } from '../../../../src/visualizer/page/execution/chart/drawn-ways.ts';
import { type Graph, graphOf } from '../../../../src/visualizer/page/execution/chart/graph.ts';
import { type Box, layoutOf } from '../../../../src/visualizer/page/execution/chart/layout.ts';
import { routesOf } from '../../../../src/visualizer/page/execution/chart/routes.ts';
import { seenDefinition } from '../../../../src/visualizer/page/execution/chart/seen-definition.ts';
import { LogIndex } from '../../../../src/visualizer/page/execution/log/log-index.ts';
import type { Machine } from '../../../../src/visualizer/page/model/machine.ts';
import { recordings } from './recordings.ts';

const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as Machine['definition'];
const machines = { execution: executionMachine, instance: instanceMachine, node: nodeMachine };
const graphs = Object.entries(machines).map(
  ([name, machine]) => [name, graphOf(plain(machine.definition))] as const,
);
const execution = graphOf(plain(executionMachine.definition));

function leaves(graph: Graph): readonly string[] {
  return [...graph.states.values()].filter(({ children }) => children.length === 0).map(({ path }) => path);
}

test('the graph of the execution machine has its states, its hierarchy and its beginning', () => {
  expect(execution.top).toEqual(['pending', 'running', 'completed', 'failed', 'timedOut', 'cancelled']);
  expect(leaves(execution)).toHaveLength(12);
  expect(execution.initial).toBe('pending.queued');
  expect(execution.states.get('failed')?.isFinal).toBe(true);
  expect(execution.states.get('running.stopping')?.parent).toBe('running');
});

test('a way leads into the leaf in which its target begins, and has all events that take it', () => {
  const way = (from: string, to: string) =>
    execution.ways.find((each) => each.from === from && each.to === to)?.allowed.map(({ event }) => event);
  expect(way('pending.queued', 'running.attempting')).toEqual(['dispatch']);
  expect(way('running.attempting', 'running.stopping')).toEqual([
    'alarm',
    'cancel',
    'limit',
    'detach',
    'suspend',
  ]);
  expect(way('pending', 'cancelled')).toEqual(['cancel']);
});

test.each(Object.entries(machines))(
  'the %s machine gives the same graph as it is written and as XState resolves it',
  (_, machine) => {
    const written = graphOf(plain({ ...machine.config }));
    const resolved = graphOf(plain(machine.definition));
    const ways = (graph: Graph) => graph.ways.map(({ from, to }) => `${from} ${to}`).sort();
    expect(ways(written)).toEqual(ways(resolved));
    expect(written.initial).toBe(resolved.initial);
  },
);

test.each(graphs)('no states of the %s chart overlap, and those of a group stand in it', (_, graph) => {
  const layout = layoutOf(graph);
  const boxes = [...layout.leaves.values()];
  expect(boxes.map(({ path }) => path).sort()).toEqual([...leaves(graph)].sort());
  boxes.forEach((box, place) => {
    for (const other of boxes.slice(place + 1)) expect(overlap(box, other)).toBe(false);
    const group = layout.groups.get(graph.states.get(box.path)?.parent ?? '');
    if (group === undefined) return;
    expect(box.x).toBeGreaterThan(group.x);
    expect(box.x + box.width).toBeLessThan(group.x + group.width);
    expect(box.y).toBeGreaterThan(group.y);
    expect(box.y + box.height).toBeLessThan(group.y + group.height);
  });
  for (const { x, y, width, height } of boxes) {
    expect(x).toBeGreaterThanOrEqual(0);
    expect(y).toBeGreaterThanOrEqual(0);
    expect(x + width).toBeLessThanOrEqual(layout.width);
    expect(y + height).toBeLessThanOrEqual(layout.height);
  }
});

test.each(graphs)('every way of the %s chart is drawn from its source into its target', (_, graph) => {
  const layout = layoutOf(graph);
  const drawn = drawnWays(graph, new Map(), true);
  const { routes, height } = routesOf(layout, drawn);
  expect(drawn.length).toBeGreaterThan(0);
  for (const way of drawn) {
    const route = routes.get(way.key);
    const numbers = (route?.path.match(/-?[\d.]+/g) ?? []).map(Number);
    expect(numbers.some(Number.isNaN)).toBe(false);
    const from = layout.leaves.get(way.from) ?? layout.groups.get(way.from);
    const to = layout.leaves.get(way.to);
    expect(onEdge(from, numbers.slice(0, 2))).toBe(true);
    expect(onEdge(to, numbers.slice(-2))).toBe(true);
    for (let place = 1; place < numbers.length; place += 2) expect(numbers[place]).toBeLessThan(height);
  }
});

test('what was taken is drawn with its counts, and alone unless all ways are wanted', () => {
  const index = new LogIndex(recordings.failed?.().log() as never);
  index.catchUp();
  const { ways } = index.stateAt(Number.POSITIVE_INFINITY);
  const taken = drawnWays(execution, ways, false);
  expect(taken.map(({ from, to, taken: each }) => `${from} ${to} ${each?.count}`)).toEqual([
    'pending.queued running.attempting 1',
    'running.attempting running.backingOff 2',
    'running.backingOff running.attempting 2',
    'running.attempting failed 1',
  ]);
  expect(taken.every(({ way }) => way !== undefined)).toBe(true);
  expect(drawnWays(execution, ways, true).length).toBeGreaterThan(25);
});

test('a log without its machine is drawn as far as it was seen', () => {
  const index = new LogIndex(recordings['timed-out']?.().log() as never);
  index.catchUp();
  const graph = graphOf(seenDefinition('execution', index.steps));
  expect(leaves(graph)).toEqual(['pending.queued', 'running.attempting', 'running.stopping', 'timedOut']);
  expect(graph.states.get('timedOut')?.isFinal).toBe(true);
  expect(graph.ways).toHaveLength(3);
});

test('a definition that makes no sense gives a chart all the same', () => {
  const graph = graphOf(
    plain({ initial: 7, states: { a: { on: { x: '#gone', y: [null, 3], z: 'a' } }, b: null } }),
  );
  expect(leaves(graph)).toEqual(['a', 'b']);
  expect(() => routesOf(layoutOf(graph), drawnWays(graph, new Map(), true))).not.toThrow();
  expect(layoutOf(graphOf({})).width).toBe(0);
});

function overlap(one: Box, other: Box): boolean {
  return (
    one.x < other.x + other.width &&
    other.x < one.x + one.width &&
    one.y < other.y + other.height &&
    other.y < one.y + one.height
  );
}

function onEdge(box: Box | undefined, [x = Number.NaN, y = Number.NaN]: readonly number[]): boolean {
  if (box === undefined) return false;
  const within =
    x >= box.x - 1 && x <= box.x + box.width + 1 && y >= box.y - 1 && y <= box.y + box.height + 1;
  const near = (one: number, other: number) => Math.abs(one - other) < 1;
  const edge = near(x, box.x) || near(x, box.x + box.width) || near(y, box.y) || near(y, box.y + box.height);
  return within && edge;
}
