/** What the node is and does, above everything else. */

import { useLink } from '../model/link.ts';
import type { NodeModel } from '../model/node.ts';
import { countText } from '../model/quantity.ts';
import type { Caller } from '../session/session.ts';
import { Icon } from '../theme/icon.tsx';
import { StatusMark } from '../theme/status-mark.tsx';
import { nextTheme, theme } from '../theme/theme.ts';
import { ConnectionMark } from './connection-mark.tsx';
import { FileButton } from './file-button.tsx';
import { usePage } from './page.ts';
import { TenantChoice } from './tenant-choice.tsx';
import './node-bar.css';

export function NodeBar() {
  const link = useLink();
  const { feed, router, session, tenants, dialogs, file, may } = usePage();
  const node = feed.node.value;
  const { view, execution } = router.address.value;
  const at = file.value !== undefined || execution !== '' ? '' : view;
  return (
    <header class="node-bar">
      <a class="brand" href={link({})} aria-label="Spear, all executions">
        <svg width="18" height="18" viewBox="0 0 16 16" fill="currentColor" aria-hidden="true">
          <path d="M14.5 1.5 1.5 8.6l4 1.6L14.5 1.5ZM14.5 1.5 5.9 10.6l1.7 3.9z" />
        </svg>
        <span class="brand-name">Spear</span>
      </a>
      <nav class="tabs" aria-label="Views">
        <a href={link({ view: 'list' })} aria-current={at === 'list' ? 'page' : undefined}>
          <Icon name="list" /> <span class="tab-word">Executions</span>
        </a>
        <a href={link({ view: 'tree' })} aria-current={at === 'tree' ? 'page' : undefined}>
          <Icon name="tree" /> <span class="tab-word">Tree</span>
        </a>
        <a href={link({ view: 'queue' })} aria-current={at === 'queue' ? 'page' : undefined}>
          <Icon name="queue" /> <span class="tab-word">Queue</span>
        </a>
        <a href={link({ view: 'batches' })} aria-current={at === 'batches' ? 'page' : undefined}>
          <Icon name="batch" /> <span class="tab-word">Batches</span>
        </a>
        <a href={link({ view: 'tasks' })} aria-current={at === 'tasks' ? 'page' : undefined}>
          <Icon name="task" /> <span class="tab-word">Tasks</span>
        </a>
        <a href={link({ view: 'schedules' })} aria-current={at === 'schedules' ? 'page' : undefined}>
          <Icon name="clock" /> <span class="tab-word">Schedules</span>
        </a>
      </nav>
      <TenantChoice />
      {node !== undefined && <NodeFacts node={node} away={feed.away.value} caller={session.caller.value} />}
      <div class="node-bar-end">
        <ConnectionMark />
        <button
          type="button"
          class="button plain"
          title="Breakpoints (b)"
          onClick={() => dialogs.show({ kind: 'breakpoints' })}
        >
          <Icon name="stop" /> <span class="wide-only">Breakpoints</span>
          <span class="narrow-only hidden">Breakpoints</span>
        </button>
        <FileButton />
        {may('SnapshotService/RestoreExecution') && !tenants.all && (
          <button
            type="button"
            class="button plain"
            title="Restore from a snapshot"
            onClick={() => dialogs.show({ kind: 'restore' })}
          >
            <Icon name="upload" /> <span class="wide-only">Restore</span>
            <span class="narrow-only hidden">Restore from a snapshot</span>
          </button>
        )}
        <button
          type="button"
          class="button plain icon"
          title={`Theme: ${themeWords[theme.value]}`}
          aria-label={`Theme: ${themeWords[theme.value]}. Change it.`}
          onClick={nextTheme}
        >
          <Icon name={themeIcons[theme.value]} />
        </button>
        <button
          type="button"
          class="button plain icon keys-button"
          title="Keys (?)"
          aria-label="Keys"
          onClick={() => dialogs.show({ kind: 'help' })}
        >
          <Icon name="help" />
        </button>
      </div>
      {node !== undefined && node.storeFault !== '' && (
        <p class="store-fault" role="alert">
          <Icon name="warn" /> <strong>The store has a fault:</strong> {node.storeFault}
        </p>
      )}
    </header>
  );
}

const themeWords = { auto: 'as the system has it', light: 'light', dark: 'dark' } as const;
const themeIcons = { auto: 'auto', light: 'sun', dark: 'moon' } as const;

/** In the order of what they matter: those that find no room are the last. */
function NodeFacts({
  node,
  away,
  caller,
}: {
  readonly node: NodeModel;
  readonly away: boolean;
  readonly caller: Caller | undefined;
}) {
  return (
    <dl
      class="node-facts"
      data-away={away ? '' : undefined}
      title={away ? 'As the node said last: it is not connected' : undefined}
    >
      <div>
        <dt class="hidden">Node</dt>
        <dd>{away ? <StatusMark state="unknown" /> : <StatusMark state={node.state} />}</dd>
      </div>
      {caller !== undefined && caller.role !== 'admin' && (
        <div>
          <dt class="hidden">Your role</dt>
          <dd
            class="badge"
            title={`The page offers what the role ${caller.role} allows: spear page prints a link with another`}
          >
            {caller.role === 'observe' ? 'Read only' : `May ${caller.role}`}
          </dd>
        </div>
      )}
      <Gauge label="Slots" value={node.running} of={node.slots} tone="running" />
      <Gauge label="Pending" value={node.pending} of={node.queueLimit} tone="pending" />
      <div>
        <dt>Version</dt>
        <dd>{node.version}</dd>
      </div>
      <div>
        <dt class="hidden">Node id</dt>
        <dd class="mono quiet" title={node.id}>
          {shortNodeId(node.id)}
        </dd>
      </div>
    </dl>
  );
}

function shortNodeId(id: string): string {
  return id.length > 16 ? `…${id.slice(-8)}` : id;
}

interface GaugeProps {
  readonly label: string;
  readonly value: number;
  readonly of: number;
  readonly tone: string;
}

function Gauge({ label, value, of, tone }: GaugeProps) {
  const share = of === 0 ? 0 : Math.min(1, value / of);
  return (
    <div class="gauge" data-tone={share >= 0.95 ? 'timedOut' : tone}>
      <dt>{label}</dt>
      <dd>
        <svg width="44" height="6" viewBox="0 0 44 6" aria-hidden="true">
          <rect class="gauge-ground" width="44" height="6" rx="3" />
          {value > 0 && <rect class="gauge-bar" width={Math.max(4, 44 * share)} height="6" rx="3" />}
        </svg>
        {countText(value)}
        <span class="quiet"> / {countText(of)}</span>
      </dd>
    </div>
  );
}
