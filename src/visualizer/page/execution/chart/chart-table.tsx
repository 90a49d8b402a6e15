/** The chart for those who would rather read it. */

import { StatusMark } from '../../theme/status-mark.tsx';
import { lookOf } from '../../theme/tone.ts';
import { TableFrame } from '../table-frame.tsx';
import type { DrawnWay } from './drawn-ways.ts';
import type { Graph } from './graph.ts';

interface Props {
  readonly graph: Graph;
  readonly state: string;
  readonly ways: readonly DrawnWay[];
  readonly visits: ReadonlyMap<string, number>;
  readonly onEvent: ((sequence: number) => void) | undefined;
}

export function ChartTable({ graph, state, ways, visits, onEvent }: Props) {
  const leaves = [...graph.states.values()].filter(({ children }) => children.length === 0);
  return (
    <TableFrame label="Chart as tables">
      <table class="plain-table">
        <caption>States</caption>
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Path</th>
            <th scope="col" class="number">
              Entered
            </th>
            <th scope="col">Now</th>
          </tr>
        </thead>
        <tbody>
          {leaves.map(({ path }) => (
            <tr key={path}>
              <td>
                <StatusMark state={path} word={lookOf(path).word} />
              </td>
              <td class="mono">{path}</td>
              <td class="number">{visits.get(path) ?? 0}</td>
              <td>{path === state ? 'here' : ''}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <table class="plain-table">
        <caption>Transitions</caption>
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col">To</th>
            <th scope="col">Events</th>
            <th scope="col" class="number">
              TransitionCount
            </th>
            <th scope="col">Last</th>
          </tr>
        </thead>
        <tbody>
          {ways.map((way) => (
            <tr key={way.key}>
              <td class="mono">{way.from}</td>
              <td class="mono">{way.to}</td>
              <td>{way.events.join(', ')}</td>
              <td class="number">{way.taken?.count ?? 0}</td>
              <td>{lastOf(way, onEvent)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}

function lastOf({ taken }: DrawnWay, onEvent: Props['onEvent']) {
  if (taken === undefined) return '';
  if (onEvent === undefined) return `event ${taken.last}`;
  return (
    <button type="button" class="link" onClick={() => onEvent(taken.last)}>
      event {taken.last}
    </button>
  );
}
