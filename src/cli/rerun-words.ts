import type { RerunExecutionsResponse } from '../server/gen/spearlet/rerun_pb.js';
import { RerunRefusal } from '../server/gen/spearlet/rerun_pb.js';

const refusals: Readonly<Record<RerunRefusal, string>> = {
  [RerunRefusal.UNSPECIFIED]: 'refused',
  [RerunRefusal.ALREADY_RERUN]: 'run again already',
  [RerunRefusal.EXECUTION_GONE]: 'not there',
  [RerunRefusal.NOT_ENDED]: 'not ended',
  [RerunRefusal.MOVED]: 'moved to another node',
  [RerunRefusal.TASK_GONE]: 'task gone',
  [RerunRefusal.REVISION_GONE]: 'revision gone',
  [RerunRefusal.INPUT_GONE]: 'input gone',
  [RerunRefusal.REFUSED]: 'refused',
};

function refusalText(refusal: RerunRefusal): string {
  return refusals[refusal] ?? String(refusal);
}

/** How far it is, in a line. */
export function progressText(answer: RerunExecutionsResponse): string {
  const { counting, matched, possible, started } = answer;
  if (counting) return `counting: ${matched} found, ${possible} can run again`;
  return `${started} of ${possible} started, ${endedOf(answer)} ended${failuresText(answer)}`;
}

/** Name and value, one a line. */
export function summaryEntries(answer: RerunExecutionsResponse, dryRun: boolean): [string, string][] {
  const { rerunId, matched, possible, started, found, completed, failed, timedOut, cancelled } = answer;
  const entries: [string, string][] = [
    ['meant', String(matched)],
    ['can run again', String(possible)],
    ...answer.refused.map(({ refusal, count }): [string, string] => [refusalText(refusal), String(count)]),
  ];
  if (dryRun) return entries;
  const earlier = found === 0n ? '' : `, ${found} of them by an earlier call`;
  entries.push(['started', `${started}${earlier}`], ['completed', String(completed)]);
  for (const [name, count] of [
    ['failed', failed],
    ['timed out', timedOut],
    ['cancelled', cancelled],
    ['not ended', started - endedOf(answer)],
  ] as const) {
    if (count > 0n) entries.push([name, String(count)]);
  }
  return [...entries, ['run', rerunId]];
}

function endedOf({ completed, failed, timedOut, cancelled }: RerunExecutionsResponse): bigint {
  return completed + failed + timedOut + cancelled;
}

function failuresText({ failed, timedOut, cancelled }: RerunExecutionsResponse): string {
  const others = failed + timedOut + cancelled;
  return others === 0n ? '' : `, ${others} of them not completed`;
}
