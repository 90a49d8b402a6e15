import { expect, test } from 'vitest';
import { executionMachine } from '../../../../src/machines/execution.ts';
import { instanceMachine } from '../../../../src/machines/instance.ts';
import { nodeMachine } from '../../../../src/machines/node.ts';
import {
  type DrawnWay,
  drawnWays,
  wayNames,
} from '../../../../src/visualizer/page/execution/chart/drawn-ways.ts';
import { type Graph, graphOf } from '../../../../src/visualizer/page/execution/chart/graph.ts';
import {
  type Area,
  labelsOf,
  labelWidth,
  overlap,
  takenAreas,
} from '../../../../src/visualizer/page/execution/chart/labels.ts';
import { layoutOf } from '../../../../src/visualizer/page/execution/chart/layout.ts';
import { routesOf } from '../../../../src/visualizer/page/execution/chart/routes.ts';
import type { TransitionCount } from '../../../../src/visualizer/page/execution/log/log-state.ts';
import { transitionKey } from '../../../../src/visualizer/page/execution/log/log-state.ts';
import type { Machine } from '../../../../src/visualizer/page/model/machine.ts';

const graphs = Object.entries({
  execution: executionMachine,
  instance: instanceMachine,
  node: nodeMachine,
}).map(
  ([name, { definition }]) =>
    [name, graphOf(JSON.parse(JSON.stringify(definition)) as Machine['definition'])] as const,
);

/** The ways between leaves that a life can take, each with the first event that leads along it. */
function leafWays(graph: Graph): readonly TransitionCount[] {
  const leaves = [...graph.states.values()].filter(
    ({ children, isFinal }) => children.length === 0 && !isFinal,
  );
  const found = new Map<string, TransitionCount>();
  for (const { path } of leaves) {
    for (const { from, to, allowed } of graph.ways) {
      if (from !== '' && path !== from && !path.startsWith(`${from}.`)) continue;
      const key = transitionKey(path, to);
      const events = new Map(allowed.slice(0, 1).map(({ event }) => [event, 12] as const));
      if (!found.has(key)) found.set(key, { from: path, to, events, count: 12, last: 7 });
    }
  }
  return [...found.values()];
}

/** What a life can have taken: it ends at most once. */
function lives(graph: Graph): readonly (readonly TransitionCount[])[] {
  const ways = leafWays(graph);
  const isEnd = ({ to }: TransitionCount) => graph.states.get(to)?.isFinal === true;
  const going = ways.filter((way) => !isEnd(way));
  return [going, ...ways.filter(isEnd).map((end) => [...going, end])];
}

function drawn(graph: Graph, taken: readonly TransitionCount[], all: boolean) {
  const layout = layoutOf(graph);
  const ways = drawnWays(graph, new Map(taken.map((way) => [transitionKey(way.from, way.to), way])), all);
  const { routes, height } = routesOf(layout, ways);
  const wishes = ways.map((way: DrawnWay) => ({
    key: way.key,
    width: labelWidth(wayNames(way), way.taken?.count ?? 0),
    shown: way.taken !== undefined,
  }));
  const labels = labelsOf(layout, routes, height, wishes);
  const areas = wishes.map(({ key, width, shown }) => {
    const label = labels.get(key);
    if (label === undefined) throw new Error(`no label for ${key}`);
    const { x, y, anchor } = label;
    const left = anchor === 'start' ? x : anchor === 'end' ? x - width : x - width / 2;
    return { key, shown, area: { left, top: y - 10, right: left + width, bottom: y + 3 } };
  });
  return { layout, height, areas };
}

test.each(graphs)('the words of the %s chart stand over no state and no others', (_, graph) => {
  const clashes: string[] = [];
  for (const taken of lives(graph)) {
    for (const all of [false, true]) {
      const { layout, height, areas } = drawn(graph, taken, all);
      const inside: Area = { left: 0, top: 0, right: layout.width, bottom: height };
      const boxes = takenAreas(layout);
      areas.forEach(({ key, shown, area }, place) => {
        if (boxes.some((box) => overlap(box, area))) clashes.push(`${key} is over a state`);
        if (area.left < inside.left || area.right > inside.right) clashes.push(`${key} is cut off`);
        if (area.top < inside.top || area.bottom > inside.bottom) clashes.push(`${key} is cut off`);
        for (const other of areas.slice(place + 1)) {
          if ((shown || other.shown) && overlap(area, other.area))
            clashes.push(`${key} and ${other.key} are one over the other`);
        }
      });
    }
  }
  expect([...new Set(clashes)]).toEqual([]);
});
