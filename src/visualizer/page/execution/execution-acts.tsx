/** What can be done with an execution: what is done often as buttons, the rest in a menu. */
import type { ExecutionAction, ExecutionSource } from '../model/execution-source.ts';
import { Icon } from '../theme/icon.tsx';
import { Menu } from './menu.tsx';

const seldom: ReadonlySet<ExecutionAction['name']> = new Set(['breakpoint', 'delete']);

export function ExecutionActs({
  source,
  past,
}: {
  readonly source: ExecutionSource;
  readonly past: boolean;
}) {
  const actions = past ? [] : source.actions.value;
  const downloads = source.gone.value || source.away.value ? undefined : source.downloads?.value;
  const often = actions.filter(({ name }) => !seldom.has(name));
  const others = actions.filter(({ name }) => seldom.has(name));
  return (
    <div class="execution-acts">
      {often.map((action) => (
        <button
          key={action.name}
          type="button"
          class={action.danger ? 'button danger' : 'button'}
          {...refusable(action)}
        >
          {action.label}
        </button>
      ))}
      {(others.length > 0 || downloads !== undefined) && (
        <Menu label={actions.length === 0 ? 'Download' : 'More'}>
          {others.filter(({ danger }) => !danger).map(item)}
          {downloads !== undefined && (
            <>
              <Download run={downloads.history} name="Download history" hint="opens offline" />
              {downloads.snapshot !== undefined && (
                <Download run={downloads.snapshot} name="Download snapshot" hint="can be restored" />
              )}
            </>
          )}
          {others.filter(({ danger }) => danger).map(item)}
        </Menu>
      )}
    </div>
  );
}

function item(action: ExecutionAction) {
  return (
    <button
      key={action.name}
      type="button"
      role="menuitem"
      tabIndex={-1}
      class={action.danger ? 'menu-item danger' : 'menu-item'}
      {...refusable(action)}
    >
      <Icon name={action.danger ? 'close' : 'stop'} size={14} /> {action.label}
    </button>
  );
}

function Download({
  run,
  name,
  hint,
}: {
  readonly run: () => void;
  readonly name: string;
  readonly hint: string;
}) {
  return (
    <button type="button" class="menu-item" role="menuitem" tabIndex={-1} onClick={run}>
      <Icon name="download" size={14} /> {name} <small>{hint}</small>
    </button>
  );
}

function refusable({ refusal, run }: ExecutionAction) {
  return {
    'aria-disabled': refusal === '' ? undefined : ('true' as const),
    title: refusal === '' ? undefined : refusal,
    onClick: () => refusal === '' && run(),
  };
}
