/** One execution: what was asked and what came of it, then what went wrong, when, in which order, and what it wrote; now, or as it was at any event. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ExecutionSource } from '../model/execution-source.ts';
import { isEnded } from '../model/status.ts';
import { Icon } from '../theme/icon.tsx';
import { CallCard } from './call/call-card.tsx';
import { ChartView } from './chart/chart-view.tsx';
import { seenDefinition } from './chart/seen-definition.ts';
import { DeliveriesCard } from './deliveries/deliveries-card.tsx';
import { EventList } from './events/event-list.tsx';
import { ExecutionHead } from './execution-head.tsx';
import { ExplainCard } from './failure/explain-card.tsx';
import { FailureCard } from './failure/failure-card.tsx';
import { attemptTime } from './log/attempt-time.ts';
import { causeOf } from './log/cause.ts';
import { lifetimeOf } from './log/lifetime.ts';
import { LogIndex } from './log/log-index.ts';
import { transitionKey } from './log/log-state.ts';
import { pastRow } from './log/past-row.ts';
import { OutputView } from './output/output-view.tsx';
import { Panes } from './panes/panes.tsx';
import { RelationsCard } from './relations/relations-card.tsx';
import { TimelineView } from './timeline/timeline-view.tsx';
import { PastBanner, TravelBar } from './travel/travel-bar.tsx';
import './controls.css';
import './panel.css';
import './execution.css';

export function ExecutionView({ source }: { readonly source: ExecutionSource }) {
  const { events } = source;
  const length = events.length.value;
  const index = useMemo(() => new LogIndex(events), [events]);
  index.catchUp();
  const gone = source.gone.value;
  const wanted = source.at.value;
  // The last event of what has ended is its present, and so is all beyond it.
  const final = events.result.value;
  const beyond = wanted !== undefined && final !== undefined && wanted >= events.lastSequence;
  const at = beyond ? undefined : wanted;
  useEffect(() => {
    if (beyond) source.at.value = undefined;
  }, [beyond, source]);
  const [pointed, setPointed] = useState<{ readonly sequence: number } | undefined>(undefined);
  const away = source.away.value;
  const fault = gone ? goneText : source.fault.value;
  const row = final ?? source.record.value;
  const ended = final !== undefined || (row !== undefined && isEnded(row.status));
  const growing = source.live && !ended && !gone && !away;
  const logState = useMemo(() => index.stateAt(at ?? Number.POSITIVE_INFINITY), [index, length, at]);
  const { steps } = index;
  const known = source.machines.find(({ name }) => name === 'execution');
  const machine = useMemo(
    () => known ?? { name: 'execution', version: 0, definition: seenDefinition('execution', steps) },
    [known, known === undefined ? steps.length : 0],
  );
  const life = lifetimeOf(events, row);
  const past = at !== undefined;
  // All that is shown of the record is as it was then.
  const shown = past && row !== undefined ? pastRow(row, logState, index) : row;
  const attempts = shown?.attempt ?? logState.attempt;

  const onEvent = (sequence: number): void => {
    // The last event of what goes on is the present.
    source.at.value = sequence >= events.lastSequence ? undefined : sequence;
  };
  const onCause = (sequence: number): void => {
    // What ended it by itself is the present already: it is pointed out there.
    if (sequence >= events.lastSequence) setPointed({ sequence });
    else onEvent(sequence);
  };
  const onEnd = (): void => {
    source.at.value = undefined;
  };
  const failed = row !== undefined && ended && (row.errorCode !== '' || row.status !== 'completed');
  const lastWay =
    logState.step === undefined ? undefined : transitionKey(logState.step.from, logState.step.to);
  return (
    <article class="execution" data-past={past ? '' : undefined}>
      <ExecutionHead source={source} row={shown} logState={logState} life={life} past={past} />
      {fault !== '' && (
        <p class="execution-fault" role="alert">
          <Icon name="warn" /> {fault}
        </p>
      )}
      {away && !gone && !ended && (
        <p class="execution-away" role="status">
          <Icon name="warn" /> {awayText}
        </p>
      )}
      {failed && !past && (
        <FailureCard
          row={row}
          log={events}
          context={logState.context}
          inAttempts={attemptTime(index)}
          causeSequence={causeOf(steps)}
          onEvent={onCause}
        />
      )}
      <CallCard source={source} row={row} failed={failed} past={past} />
      <div class="travel-dock">
        {at !== undefined && (
          <PastBanner index={index} at={at} admitted={life.from} growing={growing} onEnd={onEnd} />
        )}
        <TravelBar
          index={index}
          length={length}
          at={at}
          admitted={life.from}
          growing={growing}
          ended={ended || !source.live}
          onEvent={onEvent}
          onEnd={onEnd}
        />
      </div>
      {growing && !past && source.explanation !== undefined && (
        <ExplainCard source={source} state={row?.state ?? ''} attempt={row?.attempt ?? 0} />
      )}
      {row !== undefined && row.webhooks > 0 && !past && source.deliveries !== undefined && (
        <DeliveriesCard source={source} webhooks={row.webhooks} ended={ended} />
      )}
      {source.relations !== undefined && !gone && !past && (
        <RelationsCard source={source} row={row} growing={growing} />
      )}
      <TimelineView index={index} length={length} life={life} growing={growing} at={at} onEvent={onEvent} />
      <div class="execution-pair">
        <ChartView
          machine={machine}
          state={logState.state}
          ways={logState.ways}
          visits={logState.visits}
          lastWay={lastWay}
          past={past}
          onEvent={onEvent}
        />
        <Panes source={source} row={shown} logState={logState} admitted={life.from} early={past} />
      </div>
      <div class="execution-pair">
        <EventList
          index={index}
          length={length}
          at={at}
          pointed={pointed}
          admitted={life.from}
          attempts={attempts}
          onEvent={onEvent}
        />
        <OutputView
          index={index}
          length={length}
          at={at}
          attempts={attempts}
          growing={growing}
          oldest={row?.oldestSequence ?? 1}
          id={source.id}
        />
      </div>
    </article>
  );
}

const awayText =
  'The node is not connected: this is what it told last, and what has happened since is not known.';
const goneText = 'It was deleted: the node has it no more. What was read of it before stays here.';
