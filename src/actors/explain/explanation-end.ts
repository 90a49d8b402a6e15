/** How an execution ended, in words. */
import { durationText } from '../../domain/duration.ts';
import { errorAdvice } from '../../domain/error-advice.ts';
import { originOf } from '../../domain/errors.ts';
import type { ExecutionRecord } from '../../domain/execution.ts';

const whose = { user: 'the function', policy: 'a limit or request', platform: 'the platform' } as const;

export function endOf(record: ExecutionRecord): {
  readonly summary: string;
  readonly details: readonly string[];
} {
  const { outcome, attempt, recoveries = 0 } = record;
  const details: string[] = [];
  if (attempt > 1) details.push(`it took ${attempt} attempts`);
  if (recoveries > 0)
    details.push(`${recoveries === 1 ? '1 attempt was' : `${recoveries} attempts were`} lost`);
  if (outcome === undefined || outcome.status === 'completed') {
    const { cache } = record;
    if (cache?.from !== undefined) {
      const age = durationText(Math.max(0, (record.completedAt ?? 0) - (cache.fromAt ?? 0)));
      const how = cache.use === 'shared' ? 'it waited for that run' : `that was ${age} old`;
      return {
        summary: `It completed with the result of ${cache.from} (cache).`,
        details: [...details, how],
      };
    }
    const ran = record.startedAt === undefined ? '' : ` after ${durationText(record.executionTimeMs)}`;
    return { summary: `It completed${ran}.`, details };
  }
  const { code, message, termination } = outcome;
  if (outcome.exitCode !== undefined) details.push(`exit code ${outcome.exitCode}`);
  if (termination !== undefined) {
    details.push(`its attempt was stopped by ${termination.rung}, in ${durationText(termination.tookMs)}`);
  }
  if (attempt === 0) details.push('no attempt of it ever ran');
  details.push(`who can do something about it: ${whose[originOf(code)]}`);
  const advice = errorAdvice[code];
  if (advice !== 'nothing') details.push(`what to do: ${advice}`);
  const words = { failed: 'It failed', timedOut: 'It timed out', cancelled: 'It was cancelled' };
  return { summary: `${words[outcome.status]}: ${code}: ${message}.`, details };
}
