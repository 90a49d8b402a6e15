/** Which ways a chart shows: those that were taken, and where the reader wants them, all others that there are. Pure. */
import { type TransitionCount, transitionKey } from '../log/log-state.ts';
import type { Graph, Way } from './graph.ts';

export interface DrawnWay {
  readonly key: string;
  readonly from: string;
  readonly to: string;
  /** Absent for one that was not taken. */
  readonly taken: TransitionCount | undefined;
  /** Absent for one that this version of the machine does not have. */
  readonly way: Way | undefined;
  /** Its events, the most frequent first. */
  readonly events: readonly string[];
}

export function drawnWays(
  graph: Graph,
  taken: ReadonlyMap<string, TransitionCount>,
  all: boolean,
): readonly DrawnWay[] {
  const drawn: DrawnWay[] = [];
  const known = new Map(graph.ways.map((way) => [transitionKey(way.from, way.to), way]));
  for (const [key, each] of taken) {
    if (each.from === '') continue;
    const events = [...each.events].sort((one, other) => other[1] - one[1]).map(([name]) => name);
    drawn.push({ key, from: each.from, to: each.to, taken: each, way: wayOf(graph, known, each), events });
  }
  if (!all) return drawn;
  for (const [key, way] of known) {
    if (taken.has(key) || way.from === '') continue;
    drawn.push({ key, from: way.from, to: way.to, taken: undefined, way, events: namesOf(way) });
  }
  return drawn;
}

export function namesOf(way: Way): readonly string[] {
  return [...new Set(way.allowed.map(({ event }) => event))];
}

/** What stands beside a way, without how often it was taken. */
export function wayNames({ events }: DrawnWay): string {
  return (events.length > 2 ? [...events.slice(0, 2), '…'] : events).join(', ');
}

/** The transition that allowed it: the state's own, or one of those around it. */
function wayOf(
  graph: Graph,
  known: ReadonlyMap<string, Way>,
  { from, to }: TransitionCount,
): Way | undefined {
  for (let path = from; ; path = graph.states.get(path)?.parent ?? '') {
    const way = known.get(transitionKey(path, to));
    if (way !== undefined || path === '') return way;
  }
}
