/** What can be done with a schedule: each where the reader's role allows it. */
import { useState } from 'preact/hooks';
import type { Confirmation } from '../actions/dialogs.ts';
import { usePage } from '../shell/page.ts';
import type { FiringJson } from '../wire.ts';
import { BackfillDialog } from './backfill-dialog.tsx';
import { firingOf, type Schedule } from './schedule.ts';

interface Props {
  readonly schedule: Schedule;
  /** The node has changed it. */
  readonly changed: () => void;
}

export function ScheduleActions({ schedule, changed }: Props) {
  const { call, dialogs, may, notices, router, tenants } = usePage();
  const [backfills, setBackfills] = useState(false);
  const { name, allowedEvents } = schedule;
  if (tenants.all) return null;
  const confirm = (dialog: Omit<Confirmation, 'kind' | 'danger'>, danger = false) =>
    dialogs.show({ kind: 'confirm', danger, ...dialog });

  const trigger = () =>
    confirm({
      title: 'Fire it now?',
      text: [`${name} fires once, also while it is paused. What comes next stays.`],
      button: 'Fire now',
      run: async () => {
        const answer = await call<{ readonly firing: FiringJson }>('ScheduleService/TriggerSchedule', {
          name,
        });
        const { result, executionId, message } = firingOf(answer.firing);
        changed();
        if (result === 'fired') notices.say(`${name} has fired`, executionId);
        else if (result === 'skipped') notices.complain(`${name}: skipped, an earlier one has not ended`);
        else notices.complain(`${name}: ${result ?? 'not fired'}${message === '' ? '' : `, ${message}`}`);
      },
    });
  const pause = () =>
    confirm({
      title: 'Pause this schedule?',
      text: [`${name} fires nothing by the clock until it is resumed. What it has fired goes on.`],
      button: 'Pause',
      field: 'Reason, for people (optional)',
      run: async (reason) => {
        await call('ScheduleService/PauseSchedule', { name, reason });
        changed();
        notices.say(`${name} is paused`);
      },
    });
  const resume = () =>
    confirm({
      title: 'Let this schedule go on?',
      text: [
        `${name} goes on with the next instant from now on. Those of the pause are not made up for: a backfill does that.`,
      ],
      button: 'Resume',
      run: async () => {
        await call('ScheduleService/ResumeSchedule', { name });
        changed();
        notices.say(`${name} goes on`);
      },
    });
  const remove = () =>
    confirm(
      {
        title: 'Delete this schedule?',
        text: [`The node forgets ${name} and its history. What it has fired goes on. That cannot be undone.`],
        button: 'Delete',
        run: async () => {
          await call('ScheduleService/DeleteSchedule', { name });
          notices.say(`Deleted ${name}`);
          if (router.address.peek().schedule === name) router.go({ schedule: '' });
        },
      },
      true,
    );
  return (
    <div class="schedule-actions">
      {may('ScheduleService/TriggerSchedule') && (
        <button type="button" class="button" onClick={trigger}>
          Trigger now
        </button>
      )}
      {may('ScheduleService/BackfillSchedule') && (
        <button type="button" class="button" onClick={() => setBackfills(true)}>
          Backfill
        </button>
      )}
      {may('ScheduleService/PauseSchedule') && allowedEvents.includes('pause') && (
        <button type="button" class="button" onClick={pause}>
          Pause
        </button>
      )}
      {may('ScheduleService/ResumeSchedule') && allowedEvents.includes('resume') && (
        <button type="button" class="button" onClick={resume}>
          Resume
        </button>
      )}
      {may('ScheduleService/DeleteSchedule') && (
        <button type="button" class="button danger" onClick={remove}>
          Delete
        </button>
      )}
      {backfills && (
        <BackfillDialog schedule={schedule} changed={changed} close={() => setBackfills(false)} />
      )}
    </div>
  );
}
