/** What came of it: a typed function's value, or how the program ended. */
import type { ExecutionRow } from '../../model/execution-row.ts';
import { isEnded, statusWords } from '../../model/status.ts';
import { Facts } from './facts.tsx';
import { BytesBody } from './pane-body.tsx';

interface Props {
  readonly row: ExecutionRow;
  /** The reader travelled to before the end. */
  readonly early: boolean;
}

export function ResultPane({ row, early }: Props) {
  if (early) return <p class="empty-note">There was no result yet at this event.</p>;
  if (!isEnded(row.status)) return <p class="empty-note">There is no result yet.</p>;
  const typed = row.contentType === 'application/json';
  return (
    <>
      <section class="pane-part">
        <h3>Result</h3>
        <Facts
          facts={[
            ['Outcome', statusWords[row.status]],
            ['Exit code', row.exitCode],
            ['Error', row.errorCode === '' ? undefined : <span class="mono">{row.errorCode}</span>],
          ]}
        />
      </section>
      {typed && <BytesBody title="Value" bytes={row.output} contentType={row.contentType} />}
      {!typed && <p class="empty-note">It returned no typed value; what it wrote is in the output.</p>}
    </>
  );
}
