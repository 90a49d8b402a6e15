/** Fires the instants of a time that has passed: first says how many there are, then fires them. */
import { useState } from 'preact/hooks';
import { FaultLine } from '../actions/fault-line.tsx';
import { Modal } from '../actions/modal.tsx';
import { useSubmission } from '../actions/submission.ts';
import { nodeNow } from '../clock.ts';
import { countText } from '../model/quantity.ts';
import { usePage } from '../shell/page.ts';
import type { FiringJson } from '../wire.ts';
import { type Firing, firingOf, type Schedule } from './schedule.ts';
import { zonedText } from './zoned.ts';

const overlaps = [
  ['SCHEDULE_OVERLAP_QUEUE', 'One after another'],
  ['SCHEDULE_OVERLAP_ALLOW', 'All at once, as slots allow'],
  ['SCHEDULE_OVERLAP_SKIP', 'Skip while one has not ended'],
  ['SCHEDULE_OVERLAP_CANCEL_RUNNING', 'Each cancels the one before'],
] as const;

const dayMs = 86_400_000;

interface Props {
  readonly schedule: Schedule;
  readonly changed: () => void;
  readonly close: () => void;
}

export function BackfillDialog({ schedule: { name, timezone }, changed, close }: Props) {
  const { call, notices } = usePage();
  const [from, setFrom] = useState(() => fieldText(nodeNow() - dayMs));
  const [to, setTo] = useState(() => fieldText(nodeNow()));
  const [overlap, setOverlap] = useState<string>(overlaps[0][0]);
  /** Of what the fields say now; undefined until it is counted. */
  const [planned, setPlanned] = useState<readonly Firing[]>();
  const { busy, fault, submit } = useSubmission(async () => {
    const request = { name, overlap, from: instantIn('From', from), to: instantIn('To', to) };
    const dryRun = planned === undefined;
    const answer = await call<{ readonly firings: readonly FiringJson[] }>(
      'ScheduleService/BackfillSchedule',
      {
        ...request,
        dryRun,
      },
    );
    const firings = answer.firings.map(firingOf);
    if (dryRun) {
      setPlanned(firings);
      return;
    }
    close();
    changed();
    const fired = firings.filter(({ result }) => result === 'fired').length;
    const rest = firings.length - fired;
    notices.say(
      `${name} has fired ${countText(fired)}${rest === 0 ? '' : `; ${countText(rest)} were not, as its history says`}`,
    );
  });
  const changing = (set: (value: string) => void) => (event: { currentTarget: { value: string } }) => {
    set(event.currentTarget.value);
    setPlanned(undefined);
  };
  const [first, last] = [planned?.[0], planned?.at(-1)];
  return (
    <Modal title={`Backfill ${name}`} close={close}>
      <form onSubmit={submit} class="form">
        <p>Each instant of a time that has passed fires once. One whose execution is still there does not.</p>
        <label class="labelled">
          From (UTC)
          <input
            class="field"
            type="datetime-local"
            step="1"
            required
            value={from}
            onInput={changing(setFrom)}
          />
        </label>
        <label class="labelled">
          To (UTC)
          <input class="field" type="datetime-local" step="1" required value={to} onInput={changing(setTo)} />
        </label>
        <label class="labelled">
          How
          <select class="field" value={overlap} onChange={changing(setOverlap)}>
            {overlaps.map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        </label>
        {planned !== undefined && (
          <p role="status" class="nothing">
            {first === undefined || last === undefined
              ? 'There is no instant in that time.'
              : planned.length === 1
                ? `One instant: ${zonedText(first.instant, timezone)}.`
                : `${countText(planned.length)} instants, from ${zonedText(first.instant, timezone)} to ${zonedText(last.instant, timezone)}.`}
          </p>
        )}
        <FaultLine text={fault} />
        <footer class="modal-foot">
          <button type="button" class="button" onClick={close}>
            Do nothing
          </button>
          <button type="submit" class="button primary" disabled={busy || planned?.length === 0}>
            {busy
              ? 'Asking the node…'
              : planned === undefined
                ? 'Count them'
                : `Fire ${countText(planned.length)}`}
          </button>
        </footer>
      </form>
    </Modal>
  );
}

/** What a field for a date and time takes, in UTC. */
function fieldText(instant: number): string {
  return new Date(instant).toISOString().slice(0, 19);
}

function instantIn(field: string, text: string): string {
  const instant = Date.parse(`${text}Z`);
  if (Number.isNaN(instant)) throw new Error(`${field} is “${text}”, which is no date and time`);
  return new Date(instant).toISOString();
}
