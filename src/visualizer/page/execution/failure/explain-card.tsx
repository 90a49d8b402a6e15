/** Why an execution that has not ended is where it is, in words. */
import { useEffect, useState } from 'preact/hooks';
import { after, nodeNow } from '../../clock.ts';
import type { ExecutionSource } from '../../model/execution-source.ts';
import type { Explanation } from '../../model/explanation.ts';
import { useLink } from '../../model/link.ts';
import { countText, durationText, instantText } from '../../model/quantity.ts';
import { type Fact, Facts } from '../panes/facts.tsx';
import './failure.css';

/** Its words tell durations, which go on with those of the page; and a place in a queue changes without an event. */
const askAgainMs = 1000;

interface Props {
  readonly source: ExecutionSource;
  readonly state: string;
  /** With the state it says what is explained; asked anew when either changes. */
  readonly attempt: number;
}

export function ExplainCard({ source, state, attempt }: Props) {
  const link = useLink();
  const [told, setTold] = useState<Explanation | undefined>(undefined);
  useEffect(() => {
    setTold(undefined);
    let wanted = true;
    let callOff = (): void => {};
    const ask = (): void => {
      source.explanation?.().then(
        (next) => {
          if (!wanted) return;
          setTold(next);
          callOff = after(askAgainMs, ask);
        },
        () => {
          // It is gone or the node is away, which the page says elsewhere.
          if (!wanted) return;
          setTold(undefined);
          callOff = after(askAgainMs, ask);
        },
      );
    };
    ask();
    return () => {
      wanted = false;
      callOff();
    };
  }, [source, state, attempt]);
  // Where the two differ, one of them is of the past: the next event, or the next answer, settles it.
  if (told === undefined || told.state !== state || told.summary === '') return null;
  const until = (instant: number): string => {
    const left = instant - nodeNow();
    return `${instantText(instant)}${left > 0 ? `, in ${durationText(left)}` : ''}`;
  };
  const facts: readonly Fact[] = [
    [
      'Place in the queue',
      told.queuePlace === 0 ? undefined : `${countText(told.queuePlace)} of ${countText(told.queueLength)}`,
    ],
    ['Held back by', told.gate],
    ['Goes on by itself', told.goesOnAt === undefined ? undefined : until(told.goesOnAt)],
    ['Ends at the latest', told.endsAt === undefined ? undefined : until(told.endsAt)],
    [
      told.gate === undefined ? 'Slots held by' : 'Held by',
      told.heldBy.length === 0 ? undefined : (
        <span class="holders">
          {told.heldBy.slice(0, 8).map((id) => (
            <a key={id} class="mono" href={link({ execution: id })}>
              {id}
            </a>
          ))}
          {told.heldBy.length > 8 && <span>and {told.heldBy.length - 8} more</span>}
        </span>
      ),
    ],
  ];
  return (
    <section class="explain" aria-label="Why it is here">
      <p class="explain-summary">{told.summary}</p>
      {told.details.length > 0 && (
        <ul class="notes">
          {told.details.map((line) => (
            <li key={line}>{withCode(line)}</li>
          ))}
        </ul>
      )}
      <Facts facts={facts} />
    </section>
  );
}

/** A sentence of the node, whose commands stand between backticks. */
function withCode(line: string) {
  return line.split('`').map((part, place) => (place % 2 === 1 ? <code key={place}>{part}</code> : part));
}
