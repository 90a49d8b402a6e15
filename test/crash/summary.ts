import { timestampMs } from '@bufbuild/protobuf/wkt';
import { ErrorCode } from '../../src/server/gen/spearlet/function_pb.js';
import { type History, planOf } from './history.ts';

function counted(names: Iterable<string>): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}

/** Executions whose only attempt began before an end of the server and came to its own end after it. */
export function followedOn({ finals, runs, plans }: History): number {
  return [...finals.values()].filter(({ result }) => {
    const { attempt, startedAt, completedAt } = result;
    const { runtime } = plans.get(planOf(result))?.terms ?? {};
    if (runtime !== 'docker' || attempt !== 1 || result.exitCode === undefined) return false;
    if (startedAt === undefined || completedAt === undefined) return false;
    return runs.some(({ endedAt }) => endedAt > timestampMs(startedAt) && endedAt < timestampMs(completedAt));
  }).length;
}

/** What a run came by, on one line. */
export function summary(history: History): string {
  const { finals, told, runs, plans } = history;
  const results = [...finals.values()].map(({ result }) => result);
  const ends = results.map((result) => {
    const { runtime = 'unknown' } = plans.get(planOf(result))?.terms ?? {};
    return `${runtime} ${result.errorCode === 0 ? result.state : ErrorCode[result.errorCode]}`;
  });
  return [
    `${runs.length - 1} rounds (${counted(runs.map(({ phase }) => phase))})`,
    `${finals.size} executions (${counted(ends)})`,
    `${results.reduce((sum, { recoveries }) => sum + recoveries, 0)} attempts lost and run again`,
    `${followedOn(history)} containers followed over a crash`,
    `${told.filter(({ kind }) => kind === 'event').length} events heard and held against the log`,
    `${told.filter(({ kind }) => kind === 'refused').length} calls refused`,
    `${history.deliveries.length} ends told to webhooks, in ${history.tellings.length} tries`,
  ].join('; ');
}
