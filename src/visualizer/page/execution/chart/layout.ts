/**
 * Where the states of a chart stand: columns from left to right as a run passes through them, what is final in the last
 * one, the children of a state stacked in a box around them. Pure; once for each version of a machine.
 */
import type { Graph } from './graph.ts';

export interface Box {
  readonly path: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly column: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** What has no children. */
  readonly leaves: ReadonlyMap<string, Box>;
  /** What has. */
  readonly groups: ReadonlyMap<string, Box>;
  /** The left and right edges of each column. */
  readonly columns: readonly { readonly left: number; readonly right: number }[];
  /** Where the lowest box ends: ways below it lead around everything. */
  readonly floor: number;
}

export const leafSize = { width: 152, height: 42 } as const;
/** Between leaves in a column, with room for two lines of words. */
export const gap = 46;
const groupTitle = 34;
const groupBottom = 16;
/** Ways between the children of a group run on its left. */
const groupLeft = 46;
const groupRight = 18;
const gutter = 152;
/** On the left there is room for the words of ways that run beside the first column. */
const margin = { left: 60, right: 28, y: 18 };

export function layoutOf(graph: Graph): Layout {
  const columns = columnsOf(graph);
  const heights = columns.map((column) => stackHeight(graph, column));
  const floor = margin.y + Math.max(...heights, leafSize.height);
  const leaves = new Map<string, Box>();
  const groups = new Map<string, Box>();
  const edges: { left: number; right: number }[] = [];
  let x = margin.left;
  columns.forEach((paths, column) => {
    const width = Math.max(...paths.map((path) => widthOf(graph, path)));
    let y = margin.y + (floor - margin.y - (heights[column] ?? 0)) / 2;
    for (const path of paths) {
      const children = graph.states.get(path)?.children ?? [];
      const height = heightOf(graph, path);
      // A leaf beside boxes stands in the middle of its column.
      const left = children.length === 0 ? x + (width - leafSize.width) / 2 : x;
      const box = { path, x: left, y, width: widthOf(graph, path), height, column };
      if (children.length === 0) leaves.set(path, box);
      else {
        groups.set(path, box);
        leavesOf(graph, path).forEach((leaf, row) => {
          const top = y + groupTitle + row * (leafSize.height + gap);
          leaves.set(leaf, { path: leaf, x: x + groupLeft, y: top, ...leafSize, column });
        });
      }
      y += height + gap;
    }
    edges.push({ left: x, right: x + width });
    x += width + gutter;
  });
  const width = columns.length === 0 ? 0 : x - gutter + margin.right;
  return { width, height: floor + margin.y, leaves, groups, columns: edges, floor };
}

/** The leaves in a state, however deep: what is nested further is drawn flat. */
export function leavesOf(graph: Graph, path: string): readonly string[] {
  const children = graph.states.get(path)?.children ?? [];
  return children.length === 0 ? [path] : children.flatMap((child) => leavesOf(graph, child));
}

function heightOf(graph: Graph, path: string): number {
  if ((graph.states.get(path)?.children ?? []).length === 0) return leafSize.height;
  const rows = leavesOf(graph, path).length;
  return groupTitle + rows * leafSize.height + (rows - 1) * gap + groupBottom;
}

function widthOf(graph: Graph, path: string): number {
  const isLeaf = (graph.states.get(path)?.children ?? []).length === 0;
  return isLeaf ? leafSize.width : groupLeft + leafSize.width + groupRight;
}

function stackHeight(graph: Graph, paths: readonly string[]): number {
  return paths.reduce((sum, path) => sum + heightOf(graph, path) + gap, -gap);
}

/** The columns' top-level states: each stands behind all that lead to it, but for ways back. */
function columnsOf(graph: Graph): readonly (readonly string[])[] {
  const next = new Map<string, Set<string>>(graph.top.map((path) => [path, new Set()]));
  for (const { from, to } of graph.ways) {
    const left = topOf(from);
    const right = topOf(to);
    if (left !== right && left !== '') next.get(left)?.add(right);
  }
  const depth = new Map<string, number>();
  const visit = (path: string, at: number, trail: readonly string[]): void => {
    if (trail.includes(path) || at <= (depth.get(path) ?? -1)) return;
    depth.set(path, at);
    for (const to of graph.top) {
      if (next.get(path)?.has(to) && !goesBack(graph, path, to)) visit(to, at + 1, [...trail, path]);
    }
  };
  visit(topOf(graph.initial), 0, []);
  const deepest = Math.max(0, ...depth.values());
  const finals = graph.top.filter((path) => graph.states.get(path)?.isFinal);
  const others = graph.top.filter((path) => !finals.includes(path));
  const last = Math.max(-1, ...others.map((path) => depth.get(path) ?? deepest)) + 1;
  const columns: string[][] = [];
  const put = (path: string, column: number): void => {
    while (columns.length <= column) columns.push([]);
    columns[column]?.push(path);
  };
  for (const path of others) put(path, depth.get(path) ?? deepest);
  for (const path of finals) put(path, last);
  return columns.filter((column) => column.length > 0);
}

/** A way to a state that the definition names earlier leads back: a chart is written in the order of a life. */
function goesBack(graph: Graph, from: string, to: string): boolean {
  return graph.top.indexOf(to) < graph.top.indexOf(from);
}

function topOf(path: string): string {
  return path.split('.', 1)[0] ?? '';
}
