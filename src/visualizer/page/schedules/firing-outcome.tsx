/** What has become of a firing. */
import { useLink } from '../model/link.ts';
import { countText } from '../model/quantity.ts';
import { usePage } from '../shell/page.ts';
import { StatusMark } from '../theme/status-mark.tsx';
import type { Firing } from './schedule.ts';

export function FiringOutcome({ firing }: { readonly firing: Firing }) {
  const { result, execution, reason, message, count, more } = firing;
  switch (result) {
    case 'fired':
      return execution === undefined ? (
        <span>Fired, and the execution is gone</span>
      ) : (
        <StatusMark state={execution.state} status={execution.status} />
      );
    case 'repeated':
      return <span>There already</span>;
    case 'skipped':
      return <span>Skipped: an earlier one had not ended</span>;
    case 'missed':
      return (
        <span>
          Missed{count > 1 && ` ${countText(count)}`}
          {more && ' and more'}
        </span>
      );
    case 'refused':
      return (
        <span class="schedule-trouble">
          Refused{reason !== '' && ` (${reason})`}: {message}
        </span>
      );
    case undefined:
      return <span class="quiet">Not decided</span>;
  }
}

/** Leads to the execution of a firing, over the schedule that it is of. */
export function FiringLink({ firing: { executionId, execution } }: { readonly firing: Firing }) {
  const link = useLink();
  const { schedule } = usePage().router.address.value;
  if (executionId === '') return null;
  if (execution === undefined) return <span class="mono quiet">{executionId}</span>;
  return (
    <a class="mono" href={link({ view: 'schedules', schedule, execution: executionId })}>
      {executionId}
    </a>
  );
}
