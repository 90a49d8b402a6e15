/** Runs again what the list means. */
import { nodeNow } from '../clock.ts';
import { isEnded } from '../model/status.ts';
import { usePage } from '../shell/page.ts';
import { rerunSubject } from './rerun-subject.ts';
import { isEmpty } from './row-filter.ts';

export function RerunListed() {
  const { list, may, tenants, dialogs } = usePage();
  const filter = list.filter.value;
  if (tenants.all || !may('RerunService/RerunExecutions') || isEmpty(filter)) return null;
  const shown = (): readonly string[] | undefined => {
    if (!list.pages.state.peek().done) return undefined;
    return list.view.order.peek().filter((id) => isEnded(list.rows.get(id)?.status ?? 'pending'));
  };
  void list.pages.state.value;
  void list.view.order.value;
  const subject = rerunSubject(filter, shown(), nodeNow());
  const refusal = 'refusal' in subject ? subject.refusal : '';
  return (
    <button
      type="button"
      class="button"
      aria-disabled={refusal === '' ? undefined : 'true'}
      title={refusal === '' ? undefined : refusal}
      onClick={() => 'request' in subject && dialogs.show({ kind: 'rerunMany', ...subject })}
    >
      Run again
    </button>
  );
}
