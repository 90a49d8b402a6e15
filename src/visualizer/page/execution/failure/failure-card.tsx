/** What went wrong, before anything else. */
import type { EventLog } from '../../model/event-log.ts';
import { durationOf, type ExecutionRow } from '../../model/execution-row.ts';
import { durationText, sizeText } from '../../model/quantity.ts';
import { statusWords } from '../../model/status.ts';
import { StatusShape } from '../../theme/status-mark.tsx';
import { lookOf } from '../../theme/tone.ts';
import type { Context } from '../log/context.ts';
import { oneLine } from '../output/visible.ts';
import { type Fact, Facts } from '../panes/facts.tsx';
import { adviceOn } from './advice.ts';
import { exitCodeText, ladderOf } from './ladder.ts';
import { lastLines } from './last-lines.ts';
import './failure.css';

interface Props {
  readonly row: ExecutionRow;
  readonly log: EventLog;
  /** At the end. */
  readonly context: Context;
  /** Time in attempts, in milliseconds; nothing where the log does not have all of them. */
  readonly inAttempts: number | undefined;
  /** Of the event that its code belongs to. */
  readonly causeSequence: number | undefined;
  readonly onEvent: (sequence: number) => void;
}

const origins = {
  user: 'the function itself',
  policy: 'a limit, a deadline or a cancel',
  platform: 'the node, a runtime or the host',
} as const;
const maxMessage = 2000;

export function FailureCard({ row, log, context, inAttempts, causeSequence, onEvent }: Props) {
  const look = lookOf(row.state, row.status);
  const advice = adviceOn(row.errorCode);
  const graceMs = typeof context.graceMs === 'number' ? context.graceMs : undefined;
  const ladder = ladderOf(row.termination, row.errorCode, graceMs);
  const last = row.errorCode === 'CANCELLED' ? undefined : lastLines(log, row.attempt, 6);
  return (
    <section class="failure" data-tone={look.tone} aria-label="What went wrong">
      <div class="failure-head">
        <span class="failure-shape">
          <StatusShape shape={look.shape} size={22} />
        </span>
        <div>
          <h2>
            <span class="failure-code">{row.errorCode || statusWords[row.status]}</span>
            {row.errorOrigin !== undefined && (
              <span
                class="failure-origin"
                title={`Who can do something about it: ${origins[row.errorOrigin]}`}
              >
                {row.errorOrigin}
              </span>
            )}
          </h2>
          {row.errorMessage !== '' && <p class="failure-message">{oneLine(row.errorMessage, maxMessage)}</p>}
        </div>
        {causeSequence !== undefined && (
          <button type="button" class="button" onClick={() => onEvent(causeSequence)}>
            Go to the event
          </button>
        )}
      </div>
      <div class="failure-body">
        <Facts facts={factsOf(row, context, inAttempts)} />
        {ladder.length > 0 && (
          <div class="ladder">
            <h3>How it was stopped</h3>
            <ol>
              {ladder.map((rung) => (
                <li key={rung.name} data-outcome={rung.outcome}>
                  <span class="rung-sign" aria-hidden="true">
                    {rung.outcome === 'worked' ? '✓' : rung.outcome === 'not needed' ? '·' : '✕'}
                  </span>
                  <strong>{rung.name}</strong>
                  <span>{rung.detail}</span>
                </li>
              ))}
            </ol>
          </div>
        )}
        {advice !== undefined && (
          <div class="advice">
            <h3>What it means</h3>
            <p>{sentence(advice.meaning)}</p>
            {advice.todo !== 'nothing' && (
              <>
                <h3>What to do</h3>
                <p>{sentence(advice.todo)}</p>
              </>
            )}
          </div>
        )}
      </div>
      {last !== undefined && (
        <figure class="failure-lines">
          <figcaption>The last it wrote to {last.stream}</figcaption>
          <pre>{last.lines.join('\n')}</pre>
        </figure>
      )}
    </section>
  );
}

function factsOf(row: ExecutionRow, context: Context, inAttempts: number | undefined): readonly Fact[] {
  const tries = typeof context.lost === 'number' ? row.attempt - context.lost : row.attempt;
  const duration = (key: string) =>
    typeof context[key] === 'number' ? durationText(context[key]) : undefined;
  const use = row.resourceUse;
  return [
    ['Exit code', row.exitCode === undefined ? undefined : exitCodeText(row.exitCode)],
    [
      'Attempts',
      row.attempt === 0
        ? 'none was started'
        : row.attempt === tries
          ? String(row.attempt)
          : `${row.attempt}, of which ${tries} count as tries`,
    ],
    [
      'Recovered',
      row.recoveries === 0
        ? undefined
        : `${row.recoveries === 1 ? 'once' : `${row.recoveries} times`}, after an attempt was lost`,
    ],
    ['Total timeout', row.errorCode === 'TOTAL_TIMEOUT' ? duration('totalMs') : undefined],
    ['Attempt timeout', row.errorCode === 'ATTEMPT_TIMEOUT' ? duration('attemptMs') : undefined],
    ['Queue timeout', row.errorCode === 'QUEUE_TIMEOUT' ? duration('queueMs') : undefined],
    ['In all', durationText(durationOf(row, row.seenAt))],
    ['In attempts', inAttempts === undefined || row.attempt === 0 ? undefined : durationText(inAttempts)],
    ['Peak memory', use && use.peakMemoryBytes > 0 ? sizeText(use.peakMemoryBytes) : undefined],
    ['CPU time', use && use.cpuTimeUs > 0 ? durationText(use.cpuTimeUs / 1000) : undefined],
    ['Dropped output', use && use.droppedBytes > 0 ? sizeText(use.droppedBytes) : undefined],
  ];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
