/** What a reader chooses about output: which of it, how it is shown, what to look for. */
import { countText } from '../../model/quantity.ts';
import { Icon } from '../../theme/icon.tsx';
import { Toggle } from '../toggle.tsx';
import type { Choice } from './use-output.ts';

interface Props {
  readonly choice: Choice;
  readonly setChoice: (choice: Choice) => void;
  /** How many attempts there are. */
  readonly attempts: number;
  readonly wrap: boolean;
  readonly setWrap: (wrap: boolean) => void;
  readonly raw: boolean;
  readonly setRaw: (raw: boolean) => void;
  readonly query: string;
  readonly setQuery: (query: string) => void;
  /** Occurrences so far; undefined where nothing is looked for. */
  readonly hits: number | undefined;
  readonly onHit: (direction: 1 | -1) => void;
  readonly onCopy: () => void;
  readonly onDownload: () => void;
  /** Answers to the last thing done, for people. */
  readonly told: string;
}

const streams = { both: 'Both', stdout: 'stdout', stderr: 'stderr' } as const;

export function OutputBar(props: Props) {
  const { choice, setChoice, attempts } = props;
  return (
    <header class="panel-head">
      <h2>Output</h2>
      <span class="choice" role="group" aria-label="Streams">
        {(['both', 'stdout', 'stderr'] as const).map((stream) => (
          <button
            key={stream}
            type="button"
            aria-pressed={choice.stream === stream}
            onClick={() => setChoice({ ...choice, stream })}
          >
            {streams[stream]}
          </button>
        ))}
      </span>
      {attempts > 1 && (
        <select
          class="small-field"
          aria-label="Attempt"
          value={String(choice.attempt)}
          onChange={(event) => setChoice({ ...choice, attempt: Number(event.currentTarget.value) })}
        >
          <option value="0">All attempts</option>
          {Array.from({ length: Math.min(attempts, 1000) }, (_, place) => (
            <option key={attempts - place} value={String(attempts - place)}>
              Attempt {attempts - place}
            </option>
          ))}
        </select>
      )}
      <span class="spring" />
      <span class="search-field">
        <Icon name="search" size={13} />
        <input
          type="search"
          placeholder="Search output"
          aria-label="Search output; a pattern between slashes"
          value={props.query}
          onInput={(event) => props.setQuery(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') props.onHit(event.shiftKey ? -1 : 1);
            if (event.key === 'Escape' && props.query !== '') {
              event.stopPropagation();
              props.setQuery('');
            }
          }}
        />
        {props.hits !== undefined && (
          <span class="search-count" aria-live="polite">
            {countText(props.hits)}
          </span>
        )}
      </span>
      <Toggle on={props.wrap} set={props.setWrap} label="Wrap" hint="Break long lines" />
      <Toggle on={props.raw} set={props.setRaw} label="Raw" hint="Show escape sequences instead of colours" />
      <button
        type="button"
        class="tiny"
        onClick={props.onCopy}
        title="Copy what is shown"
        aria-label="Copy output"
      >
        <Icon name="copy" size={13} />
      </button>
      <button
        type="button"
        class="tiny"
        onClick={props.onDownload}
        title="Download it"
        aria-label="Download output"
      >
        <Icon name="download" size={13} />
      </button>
      <span class="told" role="status">
        {props.told}
      </span>
    </header>
  );
}
