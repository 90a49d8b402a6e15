/** What the machine knew at an event, and what the last step up to there changed of it. */
import { durationText } from '../../model/quantity.ts';
import type { Json } from '../../wire.ts';
import { differences } from '../log/context.ts';
import type { LogState } from '../log/log-state.ts';
import { oneLine } from '../output/visible.ts';
import { noteOf } from './notes.ts';
import { JsonBody } from './pane-body.tsx';

interface Props {
  readonly logState: LogState;
  readonly admitted: number;
}

export function ContextPane({ logState, admitted }: Props) {
  const { step, context, contextBefore } = logState;
  const all = differences(contextBefore, context);
  const changed = all.filter(({ kind }) => kind !== 'same');
  if (step === undefined) return <p class="empty-note">The log has no transition up to here.</p>;
  return (
    <>
      <section class="pane-part">
        <header class="part-head">
          <h3>Changed by the last step</h3>
          <span class="quiet">
            {step.eventType} → {step.to}, event {step.sequence}, +{durationText(step.time - admitted)}
          </span>
        </header>
        {changed.length === 0 ? (
          <p class="empty-note">It changed nothing in the context.</p>
        ) : (
          <div class="diff">
            {changed.map(({ key, kind, before, after }) => (
              <div class="diff-row" key={key}>
                <span class="diff-key">{key}</span>
                <span class="diff-values">
                  {kind !== 'added' && (
                    <span class="diff-before">
                      <span class="diff-sign">−</span>
                      <Value name={key} value={before} admitted={admitted} />
                    </span>
                  )}
                  {kind !== 'removed' && (
                    <span class="diff-after">
                      <span class="diff-sign">+</span>
                      <Value name={key} value={after} admitted={admitted} />
                    </span>
                  )}
                </span>
              </div>
            ))}
          </div>
        )}
      </section>
      <JsonBody title="Context" value={context} note={{ admitted }} />
    </>
  );
}

function Value({
  name,
  value,
  admitted,
}: {
  readonly name: string;
  readonly value: Json | undefined;
  readonly admitted: number;
}) {
  const text = value === undefined ? '' : JSON.stringify(value);
  const note = noteOf({ admitted }, { key: name, kind: typeof value === 'number' ? 'number' : 'word', text });
  return (
    <span>
      <span class="mono">{oneLine(text, 4000)}</span>
      {note !== '' && <span class="json-note">{note}</span>}
    </span>
  );
}
