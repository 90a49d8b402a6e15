/** What people come for: what was asked, and what came of it. */
import { useMemo } from 'preact/hooks';
import type { EventLog } from '../../model/event-log.ts';
import type { ExecutionRow } from '../../model/execution-row.ts';
import type { ExecutionSource } from '../../model/execution-source.ts';
import type { Invocation } from '../../model/invocation.ts';
import { isEnded } from '../../model/status.ts';
import { useAsked } from '../panes/asked.ts';
import { AskedBody } from '../panes/asked-body.tsx';
import { BytesBody, JsonBody, TextBody } from '../panes/pane-body.tsx';
import { writtenBy } from './written.ts';
import './call.css';

interface Props {
  readonly source: ExecutionSource;
  readonly row: ExecutionRow | undefined;
  /** It failed, which is told above. */
  readonly failed: boolean;
  /** The reader travelled to an event before the last one. */
  readonly past: boolean;
}

export function CallCard({ source, row, failed, past }: Props) {
  const asked = useAsked(
    source.invocation && (() => source.invocation?.() as Promise<Invocation>),
    source.id,
  );
  const told = failed && !past;
  return (
    <section class="panel call" aria-label="Input and result" data-alone={told ? '' : undefined}>
      <h2 class="hidden">Input and result</h2>
      <div class="call-side">
        {asked === undefined ? (
          <p class="empty-note">This file does not say what was asked for.</p>
        ) : (
          <AskedBody asked={asked}>{(invocation) => <Asked invocation={invocation} />}</AskedBody>
        )}
      </div>
      {!told && (
        <div class="call-side">
          {past ? (
            <Nothing title="Result" note="There was no result yet at this event." />
          ) : row === undefined || !isEnded(row.status) ? (
            <Nothing title="Result" note="There is no result yet." />
          ) : (
            <Result row={row} log={source.events} />
          )}
        </div>
      )}
    </section>
  );
}

function Asked({ invocation }: { readonly invocation: Invocation }) {
  const { parameters, input, inputBytes, contentType, args } = invocation;
  const hasParameters = Object.keys(parameters).length > 0;
  if (!hasParameters && inputBytes === 0 && args.length === 0) {
    return <Nothing title="Input" note="It was given none." />;
  }
  return (
    <>
      {hasParameters && <JsonBody title="Parameters" value={parameters} />}
      {inputBytes > 0 && <BytesBody title="Input" bytes={input} all={inputBytes} contentType={contentType} />}
      {args.length > 0 && (
        <TextBody title="Arguments" text={args.map((each) => JSON.stringify(each)).join('\n')} />
      )}
    </>
  );
}

/** Enough to read; the rest is in the output. */
const maxShown = 16_384;

function Result({ row, log }: { readonly row: ExecutionRow; readonly log: EventLog }) {
  const { length } = log;
  const written = useMemo(
    () =>
      row.output.byteLength > 0
        ? { bytes: row.output, all: Math.max(row.output.byteLength, row.outputBytes) }
        : writtenBy(log, row.attempt, maxShown),
    [row, log, length.value],
  );
  if (row.contentType === 'application/json') {
    return <BytesBody title="Result" bytes={row.output} contentType={row.contentType} />;
  }
  const exit = row.exitCode === undefined ? '' : `, exit code ${row.exitCode}`;
  if (written.all === 0) {
    return <Nothing title="Result" note={`It returned no value and wrote nothing to stdout${exit}.`} />;
  }
  return (
    <BytesBody
      title="Result"
      note={`what it wrote to stdout${exit}`}
      bytes={written.bytes}
      all={written.all}
      contentType={row.contentType}
    />
  );
}

function Nothing({ title, note }: { readonly title: string; readonly note: string }) {
  return (
    <section class="pane-part">
      <header class="part-head">
        <h3>{title}</h3>
      </header>
      <p class="empty-note">{note}</p>
    </section>
  );
}
