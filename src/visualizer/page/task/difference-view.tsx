/** What differs between two revisions, field by field. */
import { useEffect, useState } from 'preact/hooks';
import { FaultLine } from '../actions/fault-line.tsx';
import { type CallOptions, faultText } from '../feed/call.ts';
import { differenceOf, type RevisionDifference, type Revisions } from '../model/revision.ts';
import { usePage } from '../shell/page.ts';
import type { CompareRevisionsResponseJson } from '../wire.ts';

interface Props {
  readonly known: Revisions;
  readonly within: CallOptions;
}

export function DifferenceView({ known: { taskId, revisions }, within }: Props) {
  const { call } = usePage();
  const numbers = revisions.map(({ revision }) => String(revision));
  const [from, setFrom] = useState(numbers[1] ?? '');
  const [to, setTo] = useState(numbers[0] ?? '');
  const [found, setFound] = useState<RevisionDifference>();
  const [fault, setFault] = useState('');
  useEffect(() => {
    let wanted = true;
    call<CompareRevisionsResponseJson>('RevisionService/CompareRevisions', { task: taskId, from, to }, within)
      .then((answer) => {
        if (!wanted) return;
        setFound(differenceOf(answer));
        setFault('');
      })
      .catch((error: unknown) => {
        if (wanted) setFault(faultText(error));
      });
    return () => {
      wanted = false;
    };
  }, [call, taskId, within, from, to]);
  return (
    <section class="batch-part" aria-label="Difference">
      <h2>Difference</h2>
      <p class="batch-links">
        <Choice label="From revision" value={from} numbers={numbers} choose={setFrom} />
        <Choice label="to revision" value={to} numbers={numbers} choose={setTo} />
      </p>
      <FaultLine text={fault} />
      {found?.changes.length === 0 && <p class="quiet">They are equal.</p>}
      {found !== undefined && found.changes.length > 0 && (
        <table class="batch-table">
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Revision {found.from}</th>
              <th scope="col">Revision {found.to}</th>
            </tr>
          </thead>
          <tbody>
            {found.changes.map(({ path, before, after }) => (
              <tr key={path}>
                <td class="mono">{path}</td>
                <td class="mono">{before === '' ? <span class="quiet">not set</span> : before}</td>
                <td class="mono">{after === '' ? <span class="quiet">not set</span> : after}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly numbers: readonly string[];
  readonly choose: (value: string) => void;
}

function Choice({ label, value, numbers, choose }: ChoiceProps) {
  return (
    <label>
      {label}{' '}
      <select class="field" value={value} onChange={(event) => choose(event.currentTarget.value)}>
        {numbers.map((number) => (
          <option key={number} value={number}>
            {number}
          </option>
        ))}
      </select>
    </label>
  );
}
