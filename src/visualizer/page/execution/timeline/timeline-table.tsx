/** The timeline for those who would rather read it. */
import { countText, durationText, instantText, sizeText } from '../../model/quantity.ts';
import type { LogIndex } from '../log/log-index.ts';
import { TableFrame } from '../table-frame.tsx';
import { type Bar, laneWords } from './bars.ts';

interface Props {
  readonly index: LogIndex;
  readonly bars: readonly Bar[];
  readonly from: number;
  /** The instant that the bars are of. */
  readonly now: number;
  /** The event that the reader travelled to. */
  readonly at: number | undefined;
  readonly onEvent: (sequence: number) => void;
}

/** More rows than anyone reads are left to the picture. */
const most = 500;

export function TimelineTable({ index, bars, from, now, at, onEvent }: Props) {
  const output = index.outputAt(at ?? Number.POSITIVE_INFINITY);
  return (
    <TableFrame label="Timeline as a table">
      <table class="plain-table">
        <caption>
          {countText(bars.length)} spans
          {bars.length > most && `, of which the first ${most} are listed`}; {countText(output.chunks)} pieces
          of output, {sizeText(output.bytes)}
          {at !== undefined && ' up to here'}
        </caption>
        <thead>
          <tr>
            <th scope="col">Lane</th>
            <th scope="col">What</th>
            <th scope="col">Began</th>
            <th scope="col" class="number">
              After admission
            </th>
            <th scope="col" class="number">
              Lasted
            </th>
            <th scope="col">Event</th>
          </tr>
        </thead>
        <tbody>
          {bars.slice(0, most).map((bar) => (
            <tr key={bar.key}>
              <td>{laneWords[bar.lane]}</td>
              <td>{bar.word}</td>
              <td>{instantText(bar.from)}</td>
              <td class="number">+{durationText(bar.from - from)}</td>
              <td class="number">
                {durationText((bar.to ?? now) - bar.from)}
                {bar.to === undefined && ' so far'}
              </td>
              <td>
                <button type="button" class="link" onClick={() => onEvent(bar.sequence)}>
                  {bar.sequence}
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}
