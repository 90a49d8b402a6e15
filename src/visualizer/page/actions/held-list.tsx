/** The executions that stand still, and by what: a breakpoint, a suspend or a restore. */
import { useComputed } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { explanationOf } from '../model/explanation.ts';
import { useLink } from '../model/link.ts';
import { usePage } from '../shell/page.ts';
import { StatusMark } from '../theme/status-mark.tsx';
import type { ExplainExecutionResponseJson } from '../wire.ts';
import type { Dialog, Dialogs } from './dialogs.ts';
import { executionActions } from './execution-actions.ts';

interface Props {
  /** The node is connected. */
  readonly near: boolean;
  /** What stands open again after an action was confirmed, or not. */
  readonly back: Dialog;
  readonly close: () => void;
}

/** More held ones than that are in the list. */
const maxHeld = 50;

export function HeldList({ near, back, close }: Props) {
  const page = usePage();
  const link = useLink();
  const { list, dialogs } = page;
  const held = useComputed(() => {
    void list.view.revision.value;
    const found = [...list.rows.values()].filter(
      ({ state }) => state === 'pending.held' || state === 'running.suspended',
    );
    return found.sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, maxHeld);
  });
  if (held.value.length === 0) return null;
  const returning: Dialogs = {
    ...dialogs,
    show: (next) => dialogs.show(next.kind === 'confirm' ? { ...next, back } : next),
  };
  return (
    <section>
      <h3>Held or suspended now</h3>
      <table class="lined">
        <tbody>
          {held.value.map((row) => (
            <tr key={row.id}>
              <td>
                <StatusMark state={row.state} status={row.status} />
              </td>
              <td>
                <a href={link({ execution: row.id })} onClick={close}>
                  {page.tenants.all && <span class="quiet">{row.tenant}/</span>}
                  {row.taskName} <span class="mono">{row.id}</span>
                </a>
                <HeldBy id={row.id} state={row.state} />
              </td>
              <td class="end">
                {near &&
                  executionActions(row, { ...page, dialogs: returning, left: () => {} })
                    .filter(({ name }) => name === 'resume' || name === 'cancel')
                    .map(({ name, label, danger, refusal, run }) => (
                      <button
                        key={name}
                        type="button"
                        class={danger ? 'button danger' : 'button'}
                        aria-disabled={refusal !== '' ? 'true' : undefined}
                        title={refusal === '' ? undefined : refusal}
                        onClick={() => refusal === '' && run()}
                      >
                        {label}
                      </button>
                    ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** In the node's own words: a row does not tell who holds it. */
function HeldBy({ id, state }: { readonly id: string; readonly state: string }) {
  const { call } = usePage();
  const [words, setWords] = useState('');
  useEffect(() => {
    let wanted = true;
    call<ExplainExecutionResponseJson>('NodeService/ExplainExecution', { executionId: id }).then(
      (answer) => wanted && setWords(explanationOf(answer).summary),
      () => {
        // It is gone, or the node is away: the row or the connection tells.
      },
    );
    return () => {
      wanted = false;
    };
  }, [call, id, state]);
  return words === '' ? null : <div class="quiet">{words}</div>;
}
