/** What a reader chooses about output: which of it, how it is shown, what to look for. */
import { Icon } from '../../theme/icon.tsx';
import { AttemptSelect } from '../attempt-select.tsx';
import { SearchField } from '../search-field.tsx';
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
      <AttemptSelect
        attempts={attempts}
        attempt={choice.attempt}
        set={(attempt) => setChoice({ ...choice, attempt })}
      />
      <span class="spring" />
      <SearchField
        what="output"
        query={props.query}
        setQuery={props.setQuery}
        hits={props.hits}
        onHit={props.onHit}
      />
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
