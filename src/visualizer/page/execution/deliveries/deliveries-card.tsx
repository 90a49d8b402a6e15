/** Who was told of the end of an execution, what came of it, and telling it again. */
import { useEffect, useState } from 'preact/hooks';
import { FaultLine } from '../../actions/fault-line.tsx';
import { after, nodeNow } from '../../clock.ts';
import { faultText } from '../../feed/call.ts';
import type { Delivery } from '../../model/delivery.ts';
import type { ExecutionSource } from '../../model/execution-source.ts';
import { countText, durationText, instantText } from '../../model/quantity.ts';
import './deliveries.css';

/** A try that comes to its end is no event of the log. */
const askAgainMs = 1000;

interface Props {
  readonly source: ExecutionSource;
  /** How many it is told to, or may be. */
  readonly webhooks: number;
  readonly ended: boolean;
}

export function DeliveriesCard({ source, webhooks, ended }: Props) {
  const [told, setTold] = useState<readonly Delivery[] | undefined>(undefined);
  const [fault, setFault] = useState('');
  const [asked, setAsked] = useState(0);
  const here = !source.gone.value && !source.away.value;
  useEffect(() => {
    if (!ended || !here) return undefined;
    let wanted = true;
    let callOff = (): void => {};
    const ask = (): void => {
      source.deliveries?.().then(
        (next) => {
          if (!wanted) return;
          setTold(next);
          setFault('');
          if (next.some(({ state }) => state === 'pending')) callOff = after(askAgainMs, ask);
        },
        (error: unknown) => {
          if (!wanted) return;
          setFault(faultText(error));
          callOff = after(askAgainMs, ask);
        },
      );
    };
    ask();
    return () => {
      wanted = false;
      callOff();
    };
  }, [source, ended, here, asked]);
  const redrive = source.redrive?.value;
  const again = (id: string): void => {
    redrive?.(id).then(
      () => setAsked((times) => times + 1),
      (error: unknown) => setFault(faultText(error)),
    );
  };
  return (
    <section class="panel deliveries" aria-label="Webhooks">
      <header class="panel-head">
        <h2>
          Webhooks <span class="quiet">{countText(webhooks)}</span>
        </h2>
      </header>
      {fault !== '' && <FaultLine text={fault} />}
      {!ended ? (
        <p class="empty-note">They are told of its end, as far as they ask for it.</p>
      ) : told === undefined ? (
        <p class="empty-note">Asking the node…</p>
      ) : told.length === 0 ? (
        <p class="empty-note">What was delivered is listed for a day, what is dead for 30.</p>
      ) : (
        <DeliveryTable told={told} again={redrive === undefined ? undefined : again} />
      )}
    </section>
  );
}

function DeliveryTable({
  told,
  again,
}: {
  readonly told: readonly Delivery[];
  readonly again: ((id: string) => void) | undefined;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by key
    <div class="deliveries-scroll" tabIndex={0} role="group" aria-label="Deliveries">
      <table class="lined">
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">URL</th>
            <th scope="col">Tries</th>
            <th scope="col">Last answer</th>
            <th scope="col">Next try</th>
            {again !== undefined && (
              <th scope="col">
                <span class="hidden">Tell it again</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {told.map((each) => (
            <tr key={each.id} title={each.id} data-state={each.state}>
              <td>{each.state}</td>
              <td class="mono">{each.url}</td>
              <td>{countText(each.tries)}</td>
              <td>
                {each.answer}
                {each.lastAt !== undefined && <div class="quiet">{instantText(each.lastAt)}</div>}
              </td>
              <td>{nextText(each)}</td>
              {again !== undefined && (
                <td class="end">
                  {each.state !== 'pending' && (
                    <button type="button" class="button" onClick={() => again(each.id)}>
                      Redrive
                    </button>
                  )}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function nextText({ state, nextAt }: Delivery): string {
  if (state !== 'pending' || nextAt === undefined) return '–';
  const left = nextAt - nodeNow();
  return left > 0 ? `in ${durationText(left)}` : 'about to be tried';
}
