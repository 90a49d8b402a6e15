/** Where a reader looks for something in a panel. Escape empties it. */
import { countText } from '../model/quantity.ts';
import { Icon } from '../theme/icon.tsx';
import './search-field.css';

interface Props {
  /** What is searched, such as `events`. */
  readonly what: string;
  readonly query: string;
  readonly setQuery: (query: string) => void;
  /** Occurrences so far; absent where they are not counted, or nothing is looked for. */
  readonly hits?: number | undefined;
  /** Enter goes to the next, Shift and Enter to the one before. */
  readonly onHit?: (direction: 1 | -1) => void;
}

export function SearchField({ what, query, setQuery, hits, onHit }: Props) {
  return (
    <span class="search-field">
      <Icon name="search" size={13} />
      <input
        type="search"
        placeholder={`Search ${what}`}
        aria-label={`Search ${what}; a pattern between slashes`}
        value={query}
        onInput={(event) => setQuery(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onHit?.(event.shiftKey ? -1 : 1);
          if (event.key !== 'Escape' || query === '') return;
          event.stopPropagation();
          setQuery('');
        }}
      />
      {hits !== undefined && (
        <span class="search-count" aria-live="polite">
          {countText(hits)}
        </span>
      )}
    </span>
  );
}
