/** What this execution is, and what can be done with it. */
import { useState } from 'preact/hooks';
import { defaultTenant } from '../../../domain/scope.ts';
import { nodeNow, seconds } from '../clock.ts';
import type { ExecutionRow } from '../model/execution-row.ts';
import type { ExecutionSource } from '../model/execution-source.ts';
import { useLink } from '../model/link.ts';
import { durationText, instantText } from '../model/quantity.ts';
import { isEnded } from '../model/status.ts';
import { Icon } from '../theme/icon.tsx';
import { StatusMark } from '../theme/status-mark.tsx';
import { copyText } from './clipboard.ts';
import { ExecutionActs } from './execution-acts.tsx';
import type { Lifetime } from './log/lifetime.ts';
import { type LogState, timesReattached } from './log/log-state.ts';
import './execution-head.css';

interface Props {
  readonly source: ExecutionSource;
  readonly row: ExecutionRow | undefined;
  readonly logState: LogState;
  readonly life: Lifetime;
  readonly past: boolean;
}

export function ExecutionHead({ source, row, logState, life, past }: Props) {
  const link = useLink();
  const [copied, setCopied] = useState(false);
  const gone = source.gone.value;
  const away = source.away.value;
  const state = past || row === undefined ? logState.state : row.state;
  const status = past || row === undefined ? logState.status : row.status;
  const attempt = past || row === undefined ? logState.attempt : row.attempt;
  const reattached = timesReattached(logState);
  return (
    <header class="execution-head">
      <div class="execution-title">
        <span class="execution-status">
          <StatusMark state={state} status={status} />
        </span>
        <h1>
          {row === undefined ? (
            source.id
          ) : (
            <>
              {row.taskName}
              {row.functionName !== '' && <span class="execution-function">{row.functionName}</span>}
            </>
          )}
        </h1>
        <button
          type="button"
          class="execution-id mono"
          title="Copy the id"
          aria-label={`Copy the id ${source.id}`}
          onClick={() => void copyText(source.id).then(setCopied)}
        >
          {source.id} <Icon name={copied ? 'done' : 'copy'} size={12} />
        </button>
      </div>
      <div class="execution-rest">
        <dl class="execution-facts">
          {row !== undefined && (
            <>
              <Fact name="Created">{instantText(row.createdAt)}</Fact>
              {past ? (
                <Fact name="Then">+{durationText(logState.time - life.from)}</Fact>
              ) : (
                <Fact name={isEnded(row.status) ? 'In all' : 'For'}>
                  {isEnded(row.status) ? (
                    durationText(life.to - life.from)
                  ) : (
                    <Elapsed life={life} live={source.live && !gone && !away} />
                  )}
                </Fact>
              )}
            </>
          )}
          <Fact name="Attempt">
            {attempt > 0 ? String(attempt) : row?.cached === undefined ? 'none yet' : 'none needed'}
          </Fact>
          {row?.cached !== undefined && (
            <Fact name="Result of">
              <a class="mono" href={link({ execution: row.cached.from })}>
                {row.cached.from}
              </a>
              {ageText(row)}
            </Fact>
          )}
          {reattached > 0 && <Fact name="Followed again">{reattached}×, after a stop of the node</Fact>}
          {row !== undefined && row.tenant !== defaultTenant && <Fact name="Tenant">{row.tenant}</Fact>}
          {row !== undefined && row.recoveries > 0 && <Fact name="Recovered">{row.recoveries}×</Fact>}
          {row !== undefined && row.originExecutionId !== '' && (
            <Fact name="Restored from">
              <a class="mono" href={link({ execution: row.originExecutionId })}>
                {row.originExecutionId}
              </a>
            </Fact>
          )}
        </dl>
        <ExecutionActs source={source} past={past} />
      </div>
    </header>
  );
}

/** How old the result was that it has; nothing where it waited for that. */
function ageText({ cached, completedAt }: ExecutionRow): string {
  const age = (completedAt ?? 0) - (cached?.fromAt ?? 0);
  return cached?.fromAt === undefined || age < 1000 ? '' : `, ${durationText(age)} old`;
}

function Fact({ name, children }: { readonly name: string; readonly children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Alone in its component, so that only its text is drawn each second. */
function Elapsed({ life, live }: { readonly life: Lifetime; readonly live: boolean }) {
  if (!live) return <>{durationText(life.to - life.from)}</>;
  void seconds.value;
  return <>{durationText(Math.max(0, nodeNow() - life.from))}</>;
}
