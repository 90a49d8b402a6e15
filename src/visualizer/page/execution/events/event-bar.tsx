/** What a reader chooses about the event list. */
import { countText } from '../../model/quantity.ts';
import { AttemptSelect } from '../attempt-select.tsx';
import { SearchField } from '../search-field.tsx';
import { Toggle } from '../toggle.tsx';
import type { EntryFilter } from './entries.ts';

interface Props {
  readonly filter: EntryFilter;
  readonly setFilter: (filter: EntryFilter) => void;
  readonly query: string;
  readonly setQuery: (query: string) => void;
  readonly attempts: number;
  readonly found: number;
  readonly all: number;
  readonly busy: boolean;
}

export function EventBar({ filter, setFilter, query, setQuery, attempts, found, all, busy }: Props) {
  const toggle = (key: 'transitions' | 'stdout' | 'stderr' | 'failures', label: string, hint: string) => (
    <Toggle on={filter[key]} set={(on) => setFilter({ ...filter, [key]: on })} label={label} hint={hint} />
  );
  return (
    <header class="panel-head">
      <h2>
        Events{' '}
        <span class="quiet">
          {found === all ? countText(all) : `${countText(found)} of ${countText(all)}`}
          {busy && '…'}
        </span>
      </h2>
      <span class="spring" />
      {toggle('transitions', 'Transitions', 'Show changes of state')}
      {toggle('stdout', 'stdout', 'Show what was written to stdout')}
      {toggle('stderr', 'stderr', 'Show what was written to stderr')}
      {toggle('failures', 'Failures', 'Show only what went wrong')}
      <AttemptSelect
        attempts={attempts}
        attempt={filter.attempt}
        set={(attempt) => setFilter({ ...filter, attempt })}
      />
      <SearchField what="events" query={query} setQuery={setQuery} />
    </header>
  );
}
