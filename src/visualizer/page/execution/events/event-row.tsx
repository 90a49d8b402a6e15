/** One event: its number, when it was, which attempt it belongs to, and what it was. */
import type { LogEvent } from '../../model/log-event.ts';
import { durationText, instantText } from '../../model/quantity.ts';
import { StatusShape } from '../../theme/status-mark.tsx';
import { lookOf } from '../../theme/tone.ts';
import { entrySize, entryText, isFailure } from './entries.ts';

interface Props {
  readonly event: LogEvent;
  readonly row: number;
  readonly admitted: number;
  /** When the row before was; absent for the first. */
  readonly before: number | undefined;
  readonly active: boolean;
  /** It comes after the event that the reader travelled to. */
  readonly future: boolean;
  readonly onEvent: (sequence: number) => void;
}

export function EventRow({ event, admitted, before, active, future, onEvent }: Props) {
  const since = before === undefined ? '' : `+${durationText(event.time - before)}`;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list takes the keys
    <div
      class="event-row"
      id={`event-${event.sequence}`}
      role="option"
      aria-selected={active}
      data-future={future ? '' : undefined}
      data-failure={isFailure(event) ? '' : undefined}
      onClick={() => onEvent(event.sequence)}
    >
      <span class="event-number">{event.sequence}</span>
      <span class="event-time" title={instantText(event.time)}>
        {durationText(event.time - admitted)}
      </span>
      <span class="event-since">{since}</span>
      <span
        class="event-attempt"
        title={event.attempt === 0 ? 'before the first attempt' : `attempt ${event.attempt}`}
      >
        {event.attempt === 0 ? '·' : `#${event.attempt}`}
      </span>
      <What event={event} />
    </div>
  );
}

function What({ event }: { readonly event: LogEvent }) {
  if (event.kind === 'chunk') {
    const { stream } = event.chunk;
    return (
      <span class="event-what">
        <span class="event-stream" data-stream={stream}>
          {stream}
        </span>
        <span class="event-text mono">{entryText(event)}</span>
        <span class="event-size">{entrySize(event)}</span>
      </span>
    );
  }
  if (event.kind === 'refusal') {
    return (
      <span class="event-what">
        <span class="event-name">network</span>
        <span class="event-text">{event.text}</span>
      </span>
    );
  }
  const words = event.kind === 'result' ? '' : entryText(event);
  const state = event.kind === 'result' ? event.result.state || event.result.status : event.transition.to;
  const look = lookOf(state);
  return (
    <span class="event-what" data-tone={look.tone}>
      <span class="event-shape">
        <StatusShape shape={look.shape} size={13} />
      </span>
      {event.kind === 'result' ? (
        <>
          <span class="event-to">{state}</span>
          <span class="event-name">result</span>
          <span class="event-text">{event.result.errorCode === '' ? '' : entryText(event)}</span>
        </>
      ) : (
        <>
          <span class="event-to">{event.transition.to}</span>
          <span class="event-name">{event.transition.eventType}</span>
          {event.principal !== undefined && <span class="event-text">by {event.principal}</span>}
          {event.transition.reasonCode !== '' && (
            <span class="event-code">{event.transition.reasonCode}</span>
          )}
          {words !== '' && <span class="event-text">{words}</span>}
        </>
      )}
    </span>
  );
}
