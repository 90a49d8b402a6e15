/** Where the list ends, and why there. */
import { countText } from '../model/quantity.ts';
import { usePage } from '../shell/page.ts';
import { Icon } from '../theme/icon.tsx';
import { isSearch } from './row-filter.ts';
import { maxRows } from './row-store.ts';
import './list-foot.css';

interface Props {
  /** How many are searched without asking. */
  readonly limit: number;
  readonly searchOn: () => void;
}

export function ListFoot({ limit, searchOn }: Props) {
  const { list } = usePage();
  const { done, loading, fault, noTask, listed } = list.pages.state.value;
  const shown = list.view.order.value.length;
  const isSearching = isSearch(list.filter.value);
  if (noTask) return <NoTask />;
  if (fault !== '') {
    return (
      <p class="list-foot" role="alert">
        The node did not list them: {fault}.{' '}
        <button type="button" class="button" onClick={() => void list.pages.more()}>
          Try again
        </button>
      </p>
    );
  }
  if (loading) return <p class="list-foot quiet">{shown > 0 ? 'Reading older ones…' : ''}</p>;
  if (isSearching && !done && listed >= limit) {
    return (
      <p class="list-foot">
        Searched the newest {countText(listed)}.{' '}
        <button type="button" class="button" onClick={searchOn}>
          Search older ones
        </button>
      </p>
    );
  }
  if (shown === 0) return null;
  if (list.rows.isFull || (done && shown >= maxRows * 0.9)) {
    return (
      <p class="list-foot quiet">
        The page keeps the newest {countText(maxRows)}. For older ones, choose a time.
      </p>
    );
  }
  return done ? <p class="list-foot quiet">{countText(shown)} in all.</p> : null;
}

function NoTask() {
  const { router } = usePage();
  const { task } = router.address.value;
  return (
    <div class="list-foot" role="alert">
      <p>
        There is no task of the name {task}. Executions of a deleted task are listed by its id only, which
        each of them has on its page; a search finds them by the name.
      </p>
      <p class="empty-filters">
        <button type="button" class="button" onClick={() => router.go({ task: '' })}>
          task {task} <Icon name="close" size={12} />
        </button>
        <button type="button" class="button" onClick={() => router.go({ task: '', text: task })}>
          Search for “{task}”
        </button>
      </p>
    </div>
  );
}
