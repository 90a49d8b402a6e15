/** The task that the execution belongs to. */
import type { ExecutionRow } from '../../model/execution-row.ts';
import type { ExecutionSource } from '../../model/execution-source.ts';
import { durationText, sizeText } from '../../model/quantity.ts';
import type { CacheSavings, Task } from '../../model/task.ts';
import { useAsked } from './asked.ts';
import { AskedBody } from './asked-body.tsx';
import { Facts } from './facts.tsx';
import { JsonBody, PlainText } from './pane-body.tsx';

interface Props {
  readonly source: ExecutionSource;
  readonly row: ExecutionRow;
}

export function TaskPane({ source, row }: Props) {
  const asked = useAsked(source.task && (() => source.task?.() as Promise<Task | undefined>), row.taskId);
  const known = (
    <section class="pane-part">
      <h3>Task</h3>
      <Facts
        facts={[
          ['Name', row.taskName],
          ['Id', <span class="mono">{row.taskId}</span>],
          ['Revision that ran', row.taskRevision],
          ['Function', <span class="mono">{row.functionName || 'the command'}</span>],
        ]}
      />
    </section>
  );
  if (asked === undefined) return known;
  return (
    <>
      {known}
      <AskedBody asked={asked}>
        {(task) =>
          task === undefined ? (
            <p class="empty-note">It is not registered any more.</p>
          ) : (
            <>
              {task.revision !== row.taskRevision && (
                <p class="panel-note">
                  Registered now is revision {task.revision}; this execution ran revision {row.taskRevision}.
                </p>
              )}
              {task.savings !== undefined && <CachePart savings={task.savings} />}
              <JsonBody title="Definition" value={task.definition} />
              {task.wit !== '' && (
                <section class="pane-part">
                  <h3>Functions</h3>
                  <PlainText text={task.wit} label="WIT of its functions" />
                </section>
              )}
            </>
          )
        }
      </AskedBody>
    </>
  );
}

/** What its cache has done, since the start of the node. */
function CachePart({ savings }: { readonly savings: CacheSavings }) {
  const { hits, shared, misses, savedMs, savedCpuMs, entries, bytes } = savings;
  return (
    <section class="pane-part">
      <h3>Cache</h3>
      <Facts
        facts={[
          ['Hits', hits],
          ['Shared runs', shared],
          ['Misses', misses],
          ['Time saved', durationText(savedMs)],
          ['Processor time saved', savedCpuMs > 0 ? durationText(savedCpuMs) : undefined],
          ['Kept now', `${entries} (${sizeText(bytes)})`],
        ]}
      />
    </section>
  );
}
