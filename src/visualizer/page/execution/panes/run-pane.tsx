/** The record: where it ran, how long, with what limits and what it used. */

import { traceLink } from '../../../../domain/trace-link.ts';
import type { ExecutionRow } from '../../model/execution-row.ts';
import { useLink } from '../../model/link.ts';
import { countText, durationText, instantText, sizeText } from '../../model/quantity.ts';
import { usePage } from '../../shell/page.ts';
import type { Context } from '../log/context.ts';
import { Facts } from './facts.tsx';
import { JsonBody } from './pane-body.tsx';

/** The total deadline of one whose total timeout counts from its first attempt on: the latest instant that there is. */
const notCounting = 8.64e15;

interface Props {
  readonly row: ExecutionRow;
  readonly context: Context;
}

export function RunPane({ row, context }: Props) {
  const link = useLink();
  const use = row.resourceUse;
  const number = (key: string): number | undefined => {
    const value = context[key];
    return typeof value === 'number' ? value : undefined;
  };
  const duration = (key: string) => maybe(number(key), durationText);
  const instant = (key: string) => maybe(number(key), instantText);
  return (
    <>
      <section class="pane-part">
        <h3>Run</h3>
        <Facts
          facts={[
            ['Created', instantText(row.createdAt)],
            ['Started', maybe(row.startedAt, instantText)],
            ['Ended', maybe(row.completedAt, instantText)],
            ['Time pending', durationText(row.queueTimeMs)],
            ['Time running', row.startedAt === undefined ? undefined : durationText(row.executionTimeMs)],
            ['Attempts', countText(row.attempt)],
            ['Recoveries', row.recoveries === 0 ? undefined : countText(row.recoveries)],
            ['Instance', row.instanceId],
            ['Called', row.mode],
            ['Request', row.requestId],
            ['Trace', row.traceId === '' ? undefined : <TraceId traceId={row.traceId} />],
            [
              'Batch',
              row.batchId === '' ? undefined : (
                <a href={link({ view: 'batches', batch: row.batchId })}>{row.batchId}</a>
              ),
            ],
            [
              'Runs again',
              row.rerunOf === '' ? undefined : <a href={link({ execution: row.rerunOf })}>{row.rerunOf}</a>,
            ],
            [
              'Schedule',
              row.schedule === '' ? undefined : (
                <a href={link({ view: 'schedules', schedule: row.schedule })}>{row.schedule}</a>
              ),
            ],
            [
              'Restored from',
              row.originExecutionId === '' ? undefined : (
                <a href={link({ execution: row.originExecutionId })}>{row.originExecutionId}</a>
              ),
            ],
          ]}
        />
      </section>
      <section class="pane-part">
        <h3>Used</h3>
        <Facts
          facts={[
            ['CPU time', use && use.cpuTimeUs > 0 ? durationText(use.cpuTimeUs / 1000) : 'not known'],
            ['Peak memory', use && use.peakMemoryBytes > 0 ? sizeText(use.peakMemoryBytes) : 'not known'],
            ['Output', sizeText(row.outputBytes)],
            ['Dropped output', use && use.droppedBytes > 0 ? sizeText(use.droppedBytes) : undefined],
          ]}
        />
      </section>
      <section class="pane-part">
        <h3>Deadlines</h3>
        <Facts
          facts={[
            ['Total timeout', duration('totalMs')],
            [
              'Ends at the latest',
              number('totalDeadline') === notCounting ? 'not counted yet' : instant('totalDeadline'),
            ],
            ['Queue timeout', duration('queueMs')],
            ['Attempt timeout', duration('attemptMs')],
            ['Attempt ends at', instant('attemptDeadline')],
            ['Grace', duration('graceMs')],
            ['Start delay', duration('startMs')],
            ['Retry due', instant('retryAt')],
            ['Held since', instant('heldSince')],
          ]}
        />
      </section>
      {row.loosened.length > 0 && (
        <section class="pane-part">
          <h3>Beyond the safest settings</h3>
          <ul class="notes">
            {row.loosened.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </section>
      )}
      {Object.keys(row.labels).length > 0 && (
        <section class="pane-part">
          <h3>Labels</h3>
          <Facts facts={Object.entries(row.labels)} />
        </section>
      )}
      <JsonBody title="Metadata" value={row.metadata} />
    </>
  );
}

/** A file that was opened is of any node: its trace is as likely where this one's are as anywhere. */
function TraceId({ traceId }: { readonly traceId: string }) {
  const { feed } = usePage();
  const href = traceLink(feed.node.value?.traceUrl ?? '', traceId);
  if (href === undefined) return <>{traceId}</>;
  return (
    <a href={href} target="_blank" rel="noreferrer">
      {traceId}
    </a>
  );
}

function maybe(value: number | undefined, say: (value: number) => string): string | undefined {
  return value === undefined ? undefined : say(value);
}
