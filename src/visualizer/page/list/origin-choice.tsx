/** Where what is listed comes from: any place, one batch or one schedule. */
import { useState } from 'preact/hooks';
import type { Call } from '../feed/call.ts';
import { type Batch, batchOf } from '../model/batch.ts';
import { timeText } from '../model/quantity.ts';
import { usePage } from '../shell/page.ts';
import { Icon } from '../theme/icon.tsx';
import type { ListBatchesResponseJson, ListSchedulesResponseJson } from '../wire.ts';

/** The newest ones, which are offered. Any other can be pasted into the search, or come by a link. */
const mostBatches = 30;
const mostSchedules = 200;

interface Origins {
  readonly batches: readonly Batch[];
  readonly schedules: readonly string[];
}

async function read(call: Call): Promise<Origins> {
  const [{ batches }, { schedules }] = await Promise.all([
    call<ListBatchesResponseJson>('BatchService/ListBatches', { pageSize: mostBatches }),
    call<ListSchedulesResponseJson>('ScheduleService/ListSchedules', { pageSize: mostSchedules }),
  ]);
  return {
    batches: batches.map(batchOf),
    schedules: schedules.map(({ definition }) => definition?.name ?? ''),
  };
}

export function OriginChoice() {
  const { call, router } = usePage();
  const { batch, schedule } = router.address.value;
  const [known, setKnown] = useState<Origins>({ batches: [], schedules: [] });
  // Read when somebody is about to choose: what there is changes, and most readers never ask.
  const offer = (): void => void read(call).then(setKnown, () => {});
  const value = batch !== '' ? `batch ${batch}` : schedule !== '' ? `schedule ${schedule}` : '';
  const choose = (chosen: string) => {
    const [kind, name = ''] = chosen.split(' ');
    router.go({
      batch: kind === 'batch' ? name : '',
      schedule: kind === 'schedule' ? name : '',
      selected: '',
    });
  };
  const batches = known.batches.some(({ id }) => id === batch) || batch === '' ? known.batches : undefined;
  const schedules =
    schedule === '' || known.schedules.includes(schedule) ? known.schedules : [schedule, ...known.schedules];
  return (
    <>
      <select
        aria-label="Batch or schedule"
        class="field"
        value={value}
        data-set={value !== ''}
        onFocus={offer}
        onChange={(event) => choose(event.currentTarget.value)}
      >
        <option value="">Any batch or schedule</option>
        {(batch !== '' || known.batches.length > 0) && (
          <optgroup label="Members of a batch">
            {batches === undefined && <option value={`batch ${batch}`}>{batchText(batch)}</option>}
            {known.batches.map(({ id, invocationId, createdAt }) => (
              <option key={id} value={`batch ${id}`}>
                {batchText(id)} {invocationId || timeText(createdAt)}
              </option>
            ))}
          </optgroup>
        )}
        {schedules.length > 0 && (
          <optgroup label="What a schedule has fired">
            {schedules.map((name) => (
              <option key={name} value={`schedule ${name}`}>
                {name}
              </option>
            ))}
          </optgroup>
        )}
      </select>
      {value !== '' && (
        <button
          type="button"
          class="button plain icon"
          aria-label={
            batch !== '' ? `No longer only members of ${batch}` : `No longer only what ${schedule} has fired`
          }
          onClick={() => choose('')}
        >
          <Icon name="close" size={12} />
        </button>
      )}
    </>
  );
}

function batchText(id: string): string {
  return `batch …${id.slice(-8)}`;
}
