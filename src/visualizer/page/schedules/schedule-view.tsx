/** One schedule: where it is, what comes, what has been, and what can be done with it. */
import { useEffect, useMemo } from 'preact/hooks';
import { ChartView } from '../execution/chart/chart-view.tsx';
import { Facts } from '../execution/panes/facts.tsx';
import { TableFrame } from '../execution/table-frame.tsx';
import { Ago } from '../list/ticking.tsx';
import { useLink } from '../model/link.ts';
import { countText, durationText, instantText } from '../model/quantity.ts';
import { usePage } from '../shell/page.ts';
import { Icon } from '../theme/icon.tsx';
import { StatusMark } from '../theme/status-mark.tsx';
import { FiringLink, FiringOutcome } from './firing-outcome.tsx';
import { Coming, UpcomingTable } from './instants.tsx';
import { type Firing, type Schedule, troubleText } from './schedule.ts';
import { ScheduleActions } from './schedule-actions.tsx';
import { watchSchedule } from './schedule-watch.ts';
import { ScrollBody } from './scroll-body.tsx';
import { zonedText } from './zoned.ts';
import '../execution/panel.css';
import '../execution/panes/panes.css';

export function ScheduleView({ name }: { readonly name: string }) {
  const { call, feed } = usePage();
  const link = useLink();
  const watch = useMemo(() => watchSchedule(call, name), [call, name]);
  useEffect(() => watch.stop, [watch]);
  const seen = watch.known.value;
  const refusal = watch.refusal.value;
  return (
    <section class="schedules-view" aria-label="Schedule">
      <nav class="crumbs" aria-label="Where you are">
        <a href={link({ view: 'schedules' })}>
          <Icon name="back" /> Schedules
        </a>
      </nav>
      <header class="schedules-head">
        <h1>{name}</h1>
        {seen !== undefined && refusal === '' && (
          <>
            <StatusMark state={seen.schedule.state} />
            <ScheduleActions schedule={seen.schedule} changed={watch.ask} />
          </>
        )}
      </header>
      <ScrollBody label="About it" away={feed.away.value}>
        {refusal !== '' ? (
          <p class="quiet" role="alert">
            The node does not tell: {refusal}.
          </p>
        ) : seen === undefined ? (
          <p class="quiet">Reading the schedule…</p>
        ) : (
          <>
            <About schedule={seen.schedule} />
            <Upcoming schedule={seen.schedule} instants={seen.upcoming} />
            <Chart state={seen.schedule.state} />
            <History name={seen.schedule.name} firings={seen.firings} zone={seen.schedule.timezone} />
          </>
        )}
      </ScrollBody>
    </section>
  );
}

function About({ schedule }: { readonly schedule: Schedule }) {
  const { pause, timing, timezone, counts, description } = schedule;
  const trouble = troubleText(schedule);
  return (
    <section class="schedule-part" aria-label="What it says">
      {pause !== undefined && (
        <p class="schedule-paused">
          Paused{pause.by !== '' && ` by ${pause.by}`}
          {pause.at !== undefined && (
            <>
              {' '}
              <Ago instant={pause.at} />
            </>
          )}
          {pause.reason !== '' && `: ${pause.reason}`}
        </p>
      )}
      {trouble !== '' && (
        <p class="schedule-trouble" role="alert">
          <Icon name="warn" /> {trouble}
        </p>
      )}
      {description !== '' && <p>{description}</p>}
      <Facts
        facts={[
          ['Task', schedule.task],
          ['Function', schedule.functionName],
          ['When', timing.startsWith('every') ? timing : `${timing} in ${timezone}`],
          ['Not before', maybe(schedule.startAt, instantText)],
          ['Not after', maybe(schedule.endAt, instantText)],
          ['While one runs', schedule.overlap],
          ['Catches up within', durationText(schedule.catchUpMs)],
          ['Jitter', schedule.jitterMs === 0 ? undefined : durationText(schedule.jitterMs)],
          ['Fired', countText(counts.fired)],
          ['Skipped', countText(counts.skipped)],
          ['Missed', countText(counts.missed)],
          ['Refused', countText(counts.refused)],
          ['Revision', countText(schedule.revision)],
          ['On behalf of', schedule.principal],
          ['Created', instantText(schedule.createdAt)],
          ['Updated', schedule.revision > 1 ? instantText(schedule.updatedAt) : undefined],
        ]}
      />
    </section>
  );
}

const nothingTaken = new Map<string, never>();

function Chart({ state }: { readonly state: string }) {
  const machine = usePage().machines.value?.find(({ name }) => name === 'schedule');
  if (machine === undefined) return null;
  return <ChartView machine={machine} state={state} ways={nothingTaken} visits={nothingTaken} whole />;
}

interface UpcomingProps {
  readonly schedule: Schedule;
  readonly instants: readonly number[];
}

function Upcoming({ schedule: { state, timezone, next }, instants }: UpcomingProps) {
  return (
    <section class="schedule-part" aria-label="What comes">
      <h2>
        What comes
        {next !== undefined && (
          <span class="quiet">
            {' '}
            <Coming instant={next} />
          </span>
        )}
      </h2>
      {state === 'paused' && instants.length > 0 && (
        <p class="quiet">As it would come if it were resumed now.</p>
      )}
      {instants.length === 0 ? (
        <p class="quiet">No instant is left.</p>
      ) : (
        <UpcomingTable instants={instants} zone={timezone} />
      )}
    </section>
  );
}

const causeWords = { clock: 'the clock', trigger: 'a trigger', backfill: 'a backfill' } as const;

interface HistoryProps {
  readonly name: string;
  readonly firings: readonly Firing[];
  readonly zone: string;
}

function History({ name, firings, zone }: HistoryProps) {
  const link = useLink();
  return (
    <section class="schedule-part" aria-label="What has been">
      <h2>
        What has been <span class="quiet">the last 100</span>
      </h2>
      {firings.length > 0 && (
        <p>
          <a href={link({ schedule: name })}>All that it has fired</a>
        </p>
      )}
      {firings.length === 0 ? (
        <p class="quiet">It has not fired yet.</p>
      ) : (
        <TableFrame label="Firings">
          <table class="lined schedules-table">
            <thead>
              <tr>
                <th scope="col">Instant</th>
                <th scope="col">By</th>
                <th scope="col">What became of it</th>
                <th scope="col">Execution</th>
              </tr>
            </thead>
            <tbody>
              {firings.map((firing) => (
                <tr key={firing.sequence}>
                  <td title={instantText(firing.instant)}>
                    {zonedText(firing.instant, zone)}
                    {firing.until !== undefined && firing.count > 1 && (
                      <> to {zonedText(firing.until, zone)}</>
                    )}
                  </td>
                  <td>{causeWords[firing.cause]}</td>
                  <td>
                    <FiringOutcome firing={firing} />
                  </td>
                  <td>
                    <FiringLink firing={firing} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableFrame>
      )}
    </section>
  );
}

function maybe(value: number | undefined, say: (value: number) => string): string | undefined {
  return value === undefined ? undefined : say(value);
}
