/** A machine as a statechart: where it is, and how it came there. For the charts of executions, instances and nodes. */

import { useMemo, useState } from 'preact/hooks';
import { useKeys } from '../../keyboard/keys.ts';
import type { Machine } from '../../model/machine.ts';
import { type TransitionCount, transitionKey } from '../log/log-state.ts';
import { Toggle } from '../toggle.tsx';
import { ChartTable } from './chart-table.tsx';
import { drawnWays, wayNames } from './drawn-ways.ts';
import { type Graph, graphOf } from './graph.ts';
import { labelsOf, labelWidth } from './labels.ts';
import { type Layout, layoutOf } from './layout.ts';
import { routesOf } from './routes.ts';
import { StateBox, StateGroup } from './state-box.tsx';
import { WayLine } from './way-line.tsx';
import './chart.css';

interface Props {
  readonly machine: Pick<Machine, 'name' | 'version' | 'definition'>;
  /** Path of the state that it is in. */
  readonly state: string;
  /** What was taken so far, by `transitionKey`. */
  readonly ways: ReadonlyMap<string, TransitionCount>;
  readonly visits: ReadonlyMap<string, number>;
  /** The way that led here. */
  readonly lastWay?: string | undefined;
  /** Every way there is, taken or not, until the reader wants less: for what has no log. */
  readonly whole?: boolean;
  /** It shows the past. */
  readonly past?: boolean;
  /** Goes to an event; absent where there is no log to go in. */
  readonly onEvent?: ((sequence: number) => void) | undefined;
}

interface Drawing {
  readonly graph: Graph;
  readonly layout: Layout;
}

/** One layout for each version of a machine, whoever shows it. */
const drawings = new WeakMap<object, Drawing>();

function drawingOf(definition: Machine['definition']): Drawing {
  const known = drawings.get(definition);
  if (known !== undefined) return known;
  const graph = graphOf(definition);
  const drawing = { graph, layout: layoutOf(graph) };
  drawings.set(definition, drawing);
  return drawing;
}

export function ChartView({
  machine,
  state,
  ways,
  visits,
  lastWay,
  whole = false,
  past = false,
  onEvent,
}: Props) {
  const [all, setAll] = useState(whole);
  const [table, setTable] = useState(false);
  useKeys('Chart, in focus', [
    { key: 'Tab', help: 'Next state or transition' },
    { key: 'Enter', help: 'Travel to when it came last' },
    { key: ' ', help: 'Travel to when it came last' },
  ]);
  const { graph, layout } = drawingOf(machine.definition);
  const drawn = useMemo(() => drawnWays(graph, ways, all), [graph, ways, all]);
  const keys = drawn.map(({ key }) => key).join(' ');
  // Routes depend on which ways there are, not on how often they were taken.
  const { routes, height } = useMemo(() => routesOf(layout, drawn), [layout, keys]);
  const wishes = drawn.map((way) => ({
    key: way.key,
    width: labelWidth(wayNames(way), way.taken?.count ?? 0),
    shown: way.taken !== undefined,
  }));
  const words = wishes.map(({ width, shown }) => `${width} ${shown}`).join(' ');
  const labels = useMemo(() => labelsOf(layout, routes, height, wishes), [routes, words]);
  const lastEntry = (path: string): number | undefined => {
    let last: number | undefined;
    for (const way of ways.values()) if (way.to === path && (last ?? 0) < way.last) last = way.last;
    return last;
  };
  const title = `${machine.name} chart`;
  const known = layout.leaves.size > 0;
  return (
    <section class="panel chart" aria-label={title}>
      <header class="panel-head">
        <h2>
          {title}{' '}
          {known && (
            <span class="quiet">
              {machine.version > 0 ? `version ${machine.version}` : 'as far as the log tells'}
            </span>
          )}
        </h2>
        <span class="spring" />
        {known && (
          <>
            <Toggle
              on={all}
              set={setAll}
              label="All ways"
              hint="Also show the transitions that were not taken"
            />
            <Toggle on={table} set={setTable} label="Table" hint="Show the same as a table" />
          </>
        )}
      </header>
      {!known ? (
        <p class="panel-empty">
          The chart is not known: nobody has told it, and the log has no transition to draw it from.
        </p>
      ) : table ? (
        <ChartTable graph={graph} state={state} ways={drawn} visits={visits} onEvent={onEvent} />
      ) : (
        <div class="chart-scroll" tabIndex={onEvent === undefined ? 0 : -1}>
          <svg
            class="chart-drawing"
            viewBox={`0 0 ${Math.round(layout.width)} ${Math.round(height)}`}
            role="group"
            aria-label={`${title}, now in ${state === '' ? 'no state' : state}`}
          >
            {[...layout.groups.values()].map((box) => (
              <StateGroup key={box.path} box={box} inside={state.startsWith(`${box.path}.`)} />
            ))}
            {drawn.map((way) => {
              const route = routes.get(way.key);
              return route === undefined ? null : (
                <WayLine
                  key={way.key}
                  way={way}
                  route={route}
                  label={labels.get(way.key)}
                  last={way.key === lastWay}
                  onEvent={onEvent}
                />
              );
            })}
            {[...layout.leaves.values()].map((box) => {
              const entry = lastEntry(box.path);
              return (
                <StateBox
                  key={box.path}
                  box={box}
                  isFinal={graph.states.get(box.path)?.isFinal ?? false}
                  isInitial={
                    ways.size === 0 ? box.path === graph.initial : ways.has(transitionKey('', box.path))
                  }
                  current={box.path === state}
                  past={past}
                  visits={visits.get(box.path) ?? 0}
                  onGo={entry === undefined || onEvent === undefined ? undefined : () => onEvent(entry)}
                />
              );
            })}
          </svg>
        </div>
      )}
    </section>
  );
}
