/** What the reader wants to see. All of it is in the address. */
import { useComputed } from '@preact/signals';
import { useRef, useState } from 'preact/hooks';
import { useKeys } from '../keyboard/keys.ts';
import { type Span, spans } from '../model/address.ts';
import { countText } from '../model/quantity.ts';
import { type Status, statuses, statusWords } from '../model/status.ts';
import { usePage } from '../shell/page.ts';
import { Icon } from '../theme/icon.tsx';
import { StatusShape } from '../theme/status-mark.tsx';
import { lookOf } from '../theme/tone.ts';
import { OriginChoice } from './origin-choice.tsx';
import { RerunListed } from './rerun-listed.tsx';
import { patternFault } from './row-filter.ts';
import './filters.css';

export function Filters() {
  const { router, list } = usePage();
  const { statuses: wanted } = router.address.value;
  const { counts, partial } = list.counts.value;
  const toggle = (status: Status) => {
    const next = wanted.includes(status) ? wanted.filter((each) => each !== status) : [...wanted, status];
    router.go({ statuses: statuses.filter((each) => next.includes(each)), selected: '' });
  };
  useKeys('Filters', [
    {
      key: 'f',
      help: 'What went wrong, or all',
      act: () => router.go({ statuses: wanted.length > 0 ? [] : ['failed', 'timedOut'], selected: '' }),
    },
    {
      key: 'x',
      help: 'No filter',
      act: () =>
        router.go({
          ...{ statuses: [], task: '', text: '', batch: '', schedule: '', code: '' },
          ...{ since: '', after: 0, before: 0, selected: '' },
        }),
    },
  ]);
  return (
    <div class="filters">
      <SearchField />
      <TaskChoice />
      <OriginChoice />
      <TimeChoice />
      <SetFilters />
      <fieldset class="chips">
        <legend class="hidden">Status</legend>
        {statuses.map((status) => {
          const { tone, shape } = lookOf(status);
          return (
            <button
              type="button"
              key={status}
              class="chip"
              data-tone={tone}
              aria-pressed={wanted.includes(status)}
              onClick={() => toggle(status)}
            >
              <StatusShape shape={shape} size={13} />
              {statusWords[status]}
              <span class="count" title={partial ? 'of what the page has read' : undefined}>
                {countText(counts[status])}
                {partial ? '+' : ''}
              </span>
            </button>
          );
        })}
      </fieldset>
      <RerunListed />
    </div>
  );
}

const wholeId = /^(exec|batch)_[0-9a-z]{10,}$/i;

function SearchField() {
  const { router } = usePage();
  const field = useRef<HTMLInputElement>(null);
  const text = useComputed(() => router.address.value.text).value;
  const id = text.trim();
  useKeys('Filters', [{ key: '/', help: 'Search', act: () => field.current?.select() }]);
  return (
    <label class="search">
      <Icon name="search" />
      <span class="hidden">
        Search ids, tasks, functions, errors and metadata; label:key=value for a label
      </span>
      <input
        ref={field}
        class="field"
        type="search"
        placeholder="Search, or paste an id"
        spellcheck={false}
        autocomplete="off"
        value={text}
        onInput={(event) => router.refine({ text: event.currentTarget.value, selected: '' })}
        onKeyDown={(event) => {
          if (event.key === 'Escape') {
            if (text !== '') router.refine({ text: '' });
            event.currentTarget.blur();
            event.preventDefault();
          } else if (event.key === 'Enter' && wholeId.test(id)) {
            if (id.startsWith('batch_')) router.go({ batch: id, text: '', selected: '' });
            else router.go({ execution: id, text: '', at: undefined });
          } else if (event.key === 'Enter' || event.key === 'ArrowDown') {
            document.querySelector<HTMLElement>('[role=grid]')?.focus();
            event.preventDefault();
          }
        }}
      />
      {text === '' ? <kbd class="key">/</kbd> : null}
      {wholeId.test(id) ? (
        <span class="search-note">
          {id.startsWith('batch_') ? 'Enter lists its members' : 'Enter opens it'}
        </span>
      ) : null}
      {patternFault(text) !== '' ? <span class="search-note">{patternFault(text)}</span> : null}
    </label>
  );
}

function TaskChoice() {
  const { router, tasks, tenants } = usePage();
  const { task } = router.address.value;
  // A name is of one tenant only.
  const known = tasks.value.map(({ id, tenant, name }): readonly [value: string, text: string] =>
    tenants.all ? [id, `${tenant}/${name}`] : [name, name],
  );
  const isKnown = task === '' || known.some(([value]) => value === task);
  const all = isKnown ? known : [[task, task] as const, ...known];
  return (
    <select
      aria-label="Task"
      class="field"
      value={task}
      data-set={task !== ''}
      onChange={(event) => router.go({ task: event.currentTarget.value, selected: '' })}
    >
      <option value="">All tasks</option>
      {all.map(([value, text]) => (
        <option key={value} value={value}>
          {text}
        </option>
      ))}
    </select>
  );
}

/** What is set by a link alone, and can be taken away. */
function SetFilters() {
  const { router } = usePage();
  const { code } = router.address.value;
  if (code === '') return null;
  return (
    <button
      type="button"
      class="chip"
      aria-label={`No longer only ${code}`}
      onClick={() => router.go({ code: '', selected: '' })}
    >
      {code} <Icon name="close" size={12} />
    </button>
  );
}

const spanWords: Readonly<Record<Span, string>> = {
  '5m': 'Last 5 minutes',
  '15m': 'Last 15 minutes',
  '1h': 'Last hour',
  '6h': 'Last 6 hours',
  '24h': 'Last 24 hours',
  '7d': 'Last 7 days',
};

function TimeChoice() {
  const { router } = usePage();
  const { since, after, before } = router.address.value;
  const [opened, setOpened] = useState(false);
  const isOwn = opened || after > 0 || before > 0;
  const choose = (word: string) => {
    setOpened(word === 'own');
    const span = spans.find((each) => each === word) ?? '';
    router.go({ since: span, after: 0, before: 0, selected: '' });
  };
  return (
    <>
      <select
        aria-label="Time"
        class="field"
        value={isOwn ? 'own' : since}
        data-set={isOwn || since !== ''}
        onChange={(event) => choose(event.currentTarget.value)}
      >
        <option value="">Any time</option>
        {spans.map((span) => (
          <option key={span} value={span}>
            {spanWords[span]}
          </option>
        ))}
        <option value="own">From … to …</option>
      </select>
      {isOwn && (
        <>
          <InstantField
            label="From (UTC)"
            value={after}
            set={(value) => router.go({ after: value, selected: '' })}
          />
          <InstantField
            label="To (UTC)"
            value={before}
            set={(value) => router.go({ before: value, selected: '' })}
          />
        </>
      )}
    </>
  );
}

function InstantField({
  label,
  value,
  set,
}: {
  readonly label: string;
  readonly value: number;
  readonly set: (value: number) => void;
}) {
  return (
    <label class="instant">
      {label}
      <input
        class="field"
        type="datetime-local"
        step="1"
        value={value === 0 ? '' : fieldText(value)}
        onChange={(event) => {
          const next = Date.parse(`${event.currentTarget.value}Z`);
          set(Number.isNaN(next) ? 0 : next);
        }}
      />
    </label>
  );
}

/** As the field wants it: without a zone, which is UTC as everywhere. */
function fieldText(instant: number): string {
  return new Date(instant).toISOString().slice(0, 19);
}
