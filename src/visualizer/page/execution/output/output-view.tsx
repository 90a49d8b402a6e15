/**
 * What an execution wrote.
 *
 * It follows what comes until the reader scrolls up, and says how to take that up again. What a function writes is text
 * and nothing else: it goes into text nodes only, cut into pieces that a browser can take.
 */

import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useKeys } from '../../keyboard/keys.ts';
import { countText, sizeText } from '../../model/quantity.ts';
import { copyText, saveFile } from '../clipboard.ts';
import type { LogIndex } from '../log/log-index.ts';
import { useVirtualRows } from '../rows/virtual-rows.ts';
import { textMatch } from '../text-match.ts';
import { useSize } from '../use-size.ts';
import { textAt } from './line-store.ts';
import { OutputBar } from './output-bar.tsx';
import { OutputLine } from './output-line.tsx';
import { cutRows, runsOf } from './rows.ts';
import { markedRuns } from './search.ts';
import { chosenChunks, chosenText } from './selection.ts';
import { type Choice, useOutput } from './use-output.ts';
import { useSignWidth } from './use-sign-width.ts';
import '../rows/rows.css';
import './output.css';

interface Props {
  readonly index: LogIndex;
  readonly length: number;
  /** The event that the reader travelled to. */
  readonly at: number | undefined;
  readonly attempts: number;
  /** More may come. */
  readonly growing: boolean;
  /** The first event that the node's retention has left. */
  readonly oldest: number;
  /** For the name of a download. */
  readonly id: string;
}

const rowHeight = 19;
/** Numbers, the stream's letter and the space around them, in signs and pixels. */
const margin = { signs: 9, pixels: 30 } as const;

export function OutputView({ index, length, at, attempts, growing, oldest, id }: Props) {
  const [choice, setChoice] = useState<Choice>({ stream: 'both', attempt: 0 });
  const [wrap, setWrap] = useState(true);
  const [raw, setRaw] = useState(false);
  const [query, setQuery] = useState('');
  const [follow, setFollow] = useState(true);
  const [hit, setHit] = useState(-1);
  const [told, setTold] = useState('');
  const frame = useRef<HTMLDivElement>(null);
  const lastTop = useRef(0);
  const { width } = useSize(frame);
  const sign = useSignWidth(frame);
  const columns = wrap
    ? Math.max(20, Math.floor((width - margin.pixels) / sign) - margin.signs)
    : Number.POSITIVE_INFINITY;
  const match = useMemo(() => textMatch(query), [query]);
  const { store, map, search, version, busy } = useOutput(index, length, choice, { raw, columns }, match);
  const pieces = at === undefined ? map.pieces : Math.min(map.pieces, store.countUpTo(at));
  // Rows of the last piece that belong to later events are drawn empty: they are few.
  const count = map.rowOf(pieces);
  const rows = useVirtualRows(frame, count, rowHeight);

  useLayoutEffect(() => {
    const element = frame.current;
    if (element === null || !follow) return;
    element.scrollTop = element.scrollHeight;
    lastTop.current = element.scrollTop;
  }, [count, rows.height, follow, at, version, width]);

  const scrolled = (): void => {
    const element = frame.current;
    if (element === null) return;
    const atEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - rowHeight;
    if (atEnd) setFollow(true);
    else if (element.scrollTop < lastTop.current - 1) setFollow(false);
    lastTop.current = element.scrollTop;
    rows.onScroll();
  };
  const goToHit = (direction: 1 | -1): void => {
    const found = search?.pieces ?? [];
    if (found.length === 0) return;
    const next =
      hit === -1 ? (direction === 1 ? 0 : found.length - 1) : (hit + direction + found.length) % found.length;
    setHit(next);
    setFollow(false);
    rows.reveal(map.rowOf(found[next] ?? 0), 'center');
  };
  const hitPiece = search?.pieces[hit];

  const drawn = [];
  let built: { piece: number; rows: ReturnType<typeof cutRows> } | undefined;
  for (let row = rows.first; row < rows.end; row += 1) {
    const place = map.find(row);
    const piece = store.pieces[place.piece];
    if (piece === undefined) break;
    if (built?.piece !== place.piece) {
      const text = at === undefined ? piece.text : textAt(piece, at);
      const runs = markedRuns(runsOf(text, piece, raw), match);
      built = { piece: place.piece, rows: cutRows(runs, columns) };
    }
    drawn.push(
      <OutputLine
        key={row}
        runs={built.rows[place.part] ?? []}
        stream={piece.stream}
        line={place.part === 0 && !piece.continues ? piece.line : 0}
        hit={place.piece === hitPiece}
      />,
    );
  }
  const empty = index.chunks === 0;
  useKeys('Output, in focus', [{ key: 'f', help: 'Follow what is written' }]);
  return (
    <section class="panel output" aria-label="Output">
      <OutputBar
        choice={choice}
        setChoice={(next) => {
          setChoice(next);
          setFollow(true);
        }}
        attempts={attempts}
        wrap={wrap}
        setWrap={setWrap}
        raw={raw}
        setRaw={setRaw}
        query={query}
        setQuery={(next) => {
          setQuery(next);
          setHit(-1);
        }}
        hits={search?.hits}
        onHit={goToHit}
        onCopy={() => {
          const text = chosenText(store, at);
          if (text === undefined) setTold('Too much to copy: download it');
          else void copyText(text).then((done) => setTold(done ? 'Copied' : 'The browser refused'));
        }}
        onDownload={() =>
          saveFile(
            `${id}${choice.stream === 'both' ? '' : `.${choice.stream}`}.log`,
            chosenChunks(index, choice, at),
          )
        }
        told={told}
      />
      {oldest > 1 && (
        <p class="panel-note">The node kept no output from before event {oldest}: its retention took it.</p>
      )}
      {store.forgotten > 0 && (
        <p class="panel-note">
          The first {countText(store.forgotten)} lines are not shown here; the download has them.
        </p>
      )}
      <div
        class="output-frame"
        ref={frame}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by key
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label="What the function wrote"
        data-wrap={wrap ? '' : undefined}
        onScroll={scrolled}
        onKeyDown={(event) => {
          if (event.key === 'f' && !event.ctrlKey && !event.metaKey) setFollow(true);
        }}
      >
        <div class="rows-space" style={{ height: `${rows.height}px` }}>
          <div class="rows-shown" style={{ transform: `translateY(${rows.offset}px)` }}>
            {drawn}
          </div>
        </div>
        {empty && <p class="panel-empty">{growing ? 'It has written nothing yet.' : 'It wrote nothing.'}</p>}
        {!empty && count === 0 && !busy && <p class="panel-empty">Nothing of it up to here.</p>}
      </div>
      <footer class="panel-foot">
        <span>
          {at !== undefined && `${countText(store.pieces[pieces - 1]?.line ?? 0)} of `}
          {countText(store.lines)} {store.lines === 1 ? 'line' : 'lines'} · {sizeText(index.outputBytes)}
          {busy && ' · reading…'}
        </span>
        <span class="spring" />
        {!follow && (
          <button type="button" class="follow" onClick={() => setFollow(true)}>
            {growing ? 'Not following: press F, or scroll to the end' : 'To the end (F)'}
          </button>
        )}
        {follow && growing && <span class="following">Following</span>}
      </footer>
    </section>
  );
}
