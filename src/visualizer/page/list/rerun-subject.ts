/** What "Run again" over the list means. Pure. */
import type { RerunSubject } from '../actions/dialogs.ts';
import { countText } from '../model/quantity.ts';
import { isEnded, statusName, statusWords } from '../model/status.ts';
import { earliest, isEmpty, labelsIn, type RowFilter, searchText } from './row-filter.ts';

/** The most that can be named one by one. */
const mostIds = 1000;

/** `shown` are the ids of rows that have ended and are listed, where all are; undefined where there may be more. */
export function rerunSubject(
  filter: RowFilter,
  shown: readonly string[] | undefined,
  now: number,
): RerunSubject | { readonly refusal: string } {
  if (isEmpty(filter))
    return { refusal: 'Choose what is to run again: a status, a task, a time or a search' };
  const statuses = filter.statuses.filter(isEnded);
  if (filter.statuses.length > 0 && statuses.length === 0)
    return { refusal: 'Only what has ended can run again' };
  // What the node does not search for is named.
  if (searchText(filter.text) !== '') {
    if (shown === undefined) return { refusal: 'The search has not looked at all of them yet' };
    if (shown.length === 0) return { refusal: 'None of these has ended' };
    if (shown.length > mostIds)
      return { refusal: `A search can run ${countText(mostIds)} again at most: choose a task or a time` };
    return {
      what: `the ${countText(shown.length)} listed that have ended`,
      request: { executionIds: shown },
    };
  }
  const after = earliest(filter, now);
  const labels = labelsIn(filter.text);
  const words =
    statuses.length === 0 ? 'Failed and Timed out' : statuses.map((each) => statusWords[each]).join(', ');
  return {
    what: [
      `what ended as ${words}`,
      filter.code === '' ? '' : `with ${filter.code}`,
      filter.task === '' ? '' : `of the task ${filter.task}`,
      filter.batch === '' ? '' : `of the batch ${filter.batch}`,
      filter.schedule === '' ? '' : `of the schedule ${filter.schedule}`,
      ...Object.entries(labels).map(([key, value]) => `with the label ${key}=${value}`),
      filter.since === '' ? '' : `of the last ${filter.since}`,
      filter.after === 0 && filter.before === 0 ? '' : 'of the chosen time',
    ]
      .filter(Boolean)
      .join(' '),
    request: {
      filter: {
        statuses: statuses.map(statusName),
        ...(filter.task !== '' && { task: filter.task }),
        ...(filter.batch !== '' && { batchId: filter.batch }),
        ...(filter.schedule !== '' && { schedule: filter.schedule }),
        ...(filter.code !== '' && { errorCodes: [`ERROR_CODE_${filter.code}`] }),
        ...(after > 0 && { createdAfter: new Date(after).toISOString() }),
        ...(filter.before > 0 && { createdBefore: new Date(filter.before).toISOString() }),
        ...(Object.keys(labels).length > 0 && { labels }),
      },
    },
  };
}
