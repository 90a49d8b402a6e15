/** What comes by the clock: all schedules of a tenant, or the one that is open. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { useLink } from '../model/link.ts';
import { usePage } from '../shell/page.ts';
import { StatusMark } from '../theme/status-mark.tsx';
import { FiringOutcome } from './firing-outcome.tsx';
import { Coming } from './instants.tsx';
import { type Schedule, troubleText } from './schedule.ts';
import { ScheduleView } from './schedule-view.tsx';
import { watchSchedules } from './schedule-watch.ts';
import { ScrollBody } from './scroll-body.tsx';
import './schedules.css';

export function SchedulesView() {
  const { schedule } = usePage().router.address.value;
  return schedule === '' ? <ScheduleList /> : <ScheduleView key={schedule} name={schedule} />;
}

function ScheduleList() {
  const { call, feed } = usePage();
  /** Of the pages up to the one that is shown; the first has none. */
  const [tokens, setTokens] = useState<readonly string[]>(['']);
  const token = tokens.at(-1) ?? '';
  const watch = useMemo(() => watchSchedules(call, token), [call, token]);
  useEffect(() => watch.stop, [watch]);
  const list = watch.known.value;
  const refusal = watch.refusal.value;
  return (
    <section class="schedules-view" aria-label="Schedules">
      <header class="schedules-head">
        <h1>What comes by the clock</h1>
      </header>
      <ScrollBody label="List" away={feed.away.value}>
        {refusal !== '' ? (
          <p class="quiet" role="alert">
            The node does not tell: {refusal}.
          </p>
        ) : list === undefined ? (
          <p class="quiet">Waiting for the node…</p>
        ) : list.schedules.length === 0 && tokens.length === 1 ? (
          <p class="quiet">
            No schedules yet. <code class="mono">spear schedule create NAME --task TASK --every 15m</code>{' '}
            makes one.
          </p>
        ) : (
          <ScheduleTable schedules={list.schedules} />
        )}
        {(tokens.length > 1 || (list?.nextToken ?? '') !== '') && (
          <p class="schedules-pages">
            <button
              type="button"
              class="button"
              disabled={tokens.length === 1}
              onClick={() => setTokens(tokens.slice(0, -1))}
            >
              Previous page
            </button>
            <button
              type="button"
              class="button"
              disabled={(list?.nextToken ?? '') === ''}
              onClick={() => setTokens([...tokens, list?.nextToken ?? ''])}
            >
              Next page
            </button>
          </p>
        )}
      </ScrollBody>
    </section>
  );
}

function ScheduleTable({ schedules }: { readonly schedules: readonly Schedule[] }) {
  const link = useLink();
  return (
    <table class="lined schedules-table">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Task</th>
          <th scope="col">When</th>
          <th scope="col">State</th>
          <th scope="col">Next</th>
          <th scope="col">Last</th>
        </tr>
      </thead>
      <tbody>
        {schedules.map((schedule) => {
          const { name, task, timing, timezone, state, pause, next, last } = schedule;
          const trouble = troubleText(schedule);
          return (
            <tr key={name}>
              <td>
                <a href={link({ view: 'schedules', schedule: name })}>{name}</a>
              </td>
              <td>{task}</td>
              <td>
                <span class="mono">{timing}</span> {!timing.startsWith('every') && <span>{timezone}</span>}
              </td>
              <td>
                <StatusMark state={state} />
                {pause !== undefined && pause.reason !== '' && <p class="quiet">{pause.reason}</p>}
              </td>
              <td>{next === undefined ? <span class="quiet">none</span> : <Coming instant={next} />}</td>
              <td>
                {last === undefined ? <span class="quiet">none yet</span> : <FiringOutcome firing={last} />}
                {trouble !== '' && <p class="schedule-trouble">{trouble}</p>}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
