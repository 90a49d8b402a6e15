/** Why there is nothing to see, and what to do about it. */
import type { Address } from '../model/address.ts';
import { statusWords } from '../model/status.ts';
import { usePage } from '../shell/page.ts';
import { Icon } from '../theme/icon.tsx';
import { firstCommands } from './first-commands.ts';
import { isEmpty } from './row-filter.ts';
import './empty-list.css';

export function EmptyList() {
  const { list, feed } = usePage();
  const { loading, fault } = list.pages.state.value;
  const { phase } = feed.connection.value;
  if (phase !== 'live') return <Disconnected connecting={phase === 'connecting'} />;
  if (loading || feed.epoch.value === 0) return <p class="empty quiet">Reading the list…</p>;
  if (fault !== '') return null;
  return isEmpty(list.filter.value) ? <NothingYet /> : <NoMatch />;
}

function Disconnected({ connecting }: { readonly connecting: boolean }) {
  return (
    <div class="empty">
      <h2>{connecting ? 'Connecting to the node…' : 'The node does not answer'}</h2>
      <p>
        The page tries again by itself, and shows everything once the node is there: executions are kept
        through a restart. Is it running? <code>spear serve</code> starts it, and <code>/readyz</code> says
        what it waits for.
      </p>
    </div>
  );
}

function NothingYet() {
  const { tasks, feed } = usePage();
  const name = tasks.value[0]?.name;
  const { origin, hostname } = window.location;
  const node = feed.node.value;
  if (node === undefined) return null;
  const { register, invoke, curl } = firstCommands(node, { task: name, origin, hostname });
  return (
    <div class="empty">
      <h2>Nothing has run here yet</h2>
      {name === undefined && (
        <>
          <p>First a task, which is what can be run:</p>
          <Command text={register} />
        </>
      )}
      <p>Run {name ?? 'it'} from a terminal, and it appears here:</p>
      <Command text={invoke} />
      <p>or with nothing but curl:</p>
      <Command text={curl} />
    </div>
  );
}

function Command({ text }: { readonly text: string }) {
  const { notices } = usePage();
  const copy = () => {
    navigator.clipboard
      .writeText(text)
      .then(() => notices.say('Copied'))
      .catch(() => notices.complain('The browser does not let this page copy'));
  };
  return (
    <div class="command">
      <pre>{text}</pre>
      <button type="button" class="button plain icon" aria-label="Copy the command" onClick={copy}>
        <Icon name="copy" size={14} />
      </button>
    </div>
  );
}

function NoMatch() {
  const { router } = usePage();
  const address = router.address.value;
  const filters = filtersOf(address);
  const all = Object.assign({}, ...filters.map(({ without }) => without)) as Partial<Address>;
  return (
    <div class="empty">
      <h2>No execution matches</h2>
      <p>These filters are set. Take one away:</p>
      <p class="empty-filters">
        {filters.map(({ words, without }) => (
          <button type="button" class="button" key={words} onClick={() => router.go(without)}>
            {words} <Icon name="close" size={12} />
          </button>
        ))}
        {filters.length > 1 && (
          <button type="button" class="button primary" onClick={() => router.go(all)}>
            All of them
          </button>
        )}
      </p>
    </div>
  );
}

function filtersOf(
  address: Address,
): readonly { readonly words: string; readonly without: Partial<Address> }[] {
  const { statuses, task, text, batch, schedule, code, since, after, before } = address;
  return [
    { set: text !== '', words: `text “${text}”`, without: { text: '' } },
    { set: task !== '', words: `task ${task}`, without: { task: '' } },
    { set: batch !== '', words: `batch ${batch}`, without: { batch: '' } },
    { set: schedule !== '', words: `schedule ${schedule}`, without: { schedule: '' } },
    { set: code !== '', words: `error ${code}`, without: { code: '' } },
    {
      set: statuses.length > 0,
      words: statuses.map((status) => statusWords[status].toLowerCase()).join(' or '),
      without: { statuses: [] },
    },
    { set: since !== '', words: `last ${since}`, without: { since: '' as const } },
    { set: after > 0 || before > 0, words: 'from … to …', without: { after: 0, before: 0 } },
  ].filter(({ set }) => set);
}
