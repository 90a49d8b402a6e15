/** What a reader chooses about the event list. */
import { countText } from '../../model/quantity.ts';
import { Icon } from '../../theme/icon.tsx';
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
      {attempts > 1 && (
        <select
          class="small-field"
          aria-label="Attempt"
          value={String(filter.attempt)}
          onChange={(event) => setFilter({ ...filter, attempt: Number(event.currentTarget.value) })}
        >
          <option value="0">All attempts</option>
          {Array.from({ length: Math.min(attempts, 1000) }, (_, place) => (
            <option key={attempts - place} value={String(attempts - place)}>
              Attempt {attempts - place}
            </option>
          ))}
        </select>
      )}
      <span class="search-field">
        <Icon name="search" size={13} />
        <input
          type="search"
          placeholder="Search events"
          aria-label="Search events; a pattern between slashes"
          value={query}
          onInput={(event) => setQuery(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Escape' || query === '') return;
            event.stopPropagation();
            setQuery('');
          }}
        />
      </span>
    </header>
  );
}
