import { timestampMs } from '@bufbuild/protobuf/wkt';
import { OutputStream } from '../../src/server/gen/spearlet/function_pb.js';
import { type History, planOf } from './history.ts';
import { timeOf } from './rules/rule.ts';

const maxData = 40;

/** The life of an execution among the runs of the server, for whoever looks for what went wrong. */
export function outline({ finals, plans, runs, marks }: History, executionId: string): string {
  const final = finals.get(executionId);
  if (final === undefined) return `${executionId} is not there`;
  const { result, log } = final;
  const { number = Number.NaN, terms } = plans.get(planOf(result)) ?? {};
  const start = result.createdAt === undefined ? 0 : timestampMs(result.createdAt);
  const end = result.completedAt === undefined ? Number.POSITIVE_INFINITY : timestampMs(result.completedAt);
  const lines = log.map((event): readonly [number, string] => {
    const head = `${event.sequence} attempt ${event.attempt}`;
    switch (event.event.case) {
      case 'transition': {
        const { to, eventType, reasonCode } = event.event.value;
        return [timeOf(event), `${head} ${eventType} → ${to} ${reasonCode}`];
      }
      case 'chunk': {
        const { stream, data } = event.event.value;
        const text = JSON.stringify(Buffer.from(data.subarray(0, maxData)).toString());
        return [timeOf(event), `${head} ${OutputStream[stream]} ${data.byteLength} bytes ${text}`];
      }
      default:
        return [timeOf(event), `${head} ${result.state} ${result.errorMessage}`];
    }
  });
  for (const [index, { phase, exit, readyAt, endedAt }] of runs.entries()) {
    const name = `-- run ${index + 1} (${phase})`;
    if (readyAt !== undefined && readyAt >= start && readyAt <= end)
      lines.push([readyAt, `${name} is ready`]);
    if (endedAt >= start && endedAt <= end) lines.push([endedAt, `${name} ended with ${exit}`]);
  }
  const left = (marks.get(number) ?? []).map(({ attempt, what }) => `${attempt.slice(0, 4)} ${what}`);
  return [
    `${executionId}: plan ${number}, ${terms?.task}, ${terms?.totalMs} ms, marks: ${left.join(', ')}`,
    ...lines.sort(([a], [b]) => a - b).map(([at, what]) => `  ${String(at - start).padStart(6)} ${what}`),
  ].join('\n');
}
