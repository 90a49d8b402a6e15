/** The members of a batch one by one: all, or those of a box of the graph, by state and error. */
import { addressOf } from '../../model/address.ts';
import type { Batch, MemberJson } from '../../model/batch.ts';
import { countText, timeText } from '../../model/quantity.ts';
import { enumWord, instantOf } from '../../model/scalar.ts';
import { isStatus, statuses, statusOf, statusWords } from '../../model/status.ts';
import { usePage } from '../../shell/page.ts';
import { StatusMark } from '../../theme/status-mark.tsx';
import { pageSize, useMemberPages } from './member-pages.ts';
import './members.css';

export function MemberTable({ batch }: { readonly batch: Batch }) {
  const pages = useMemberPages(batch);
  const { members, fault, page, forward, back } = pages;
  return (
    <section class="batch-part" aria-label="One by one">
      <header class="members-head">
        <h2>One by one</h2>
        <Choice />
      </header>
      {fault !== '' && <p role="alert">The node does not tell: {fault}.</p>}
      {members === undefined ? (
        fault === '' && <p class="quiet">Reading them…</p>
      ) : members.length === 0 ? (
        <p class="quiet">None is so.</p>
      ) : (
        <div class="members-frame">
          <table class="batch-table">
            <thead>
              <tr>
                <th scope="col">Member</th>
                <th scope="col">Execution</th>
                <th scope="col">Task</th>
                <th scope="col">State</th>
                <th scope="col">Error</th>
                <th scope="col">Layer</th>
                <th scope="col">Follows</th>
                <th scope="col">Ended (UTC)</th>
              </tr>
            </thead>
            <tbody>
              {members.map((member) => (
                <MemberRow key={member.member} member={member} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {(forward !== undefined || back !== undefined) && (
        <footer class="members-foot">
          <button type="button" class="button" disabled={back === undefined} onClick={back}>
            Before
          </button>
          <span>
            {countText(page * pageSize + 1)}–{countText(page * pageSize + (members?.length ?? 0))}
          </span>
          <button type="button" class="button" disabled={forward === undefined} onClick={forward}>
            Next
          </button>
        </footer>
      )}
    </section>
  );
}

/** What the address asks for; each part can be taken back. */
function Choice() {
  const { router } = usePage();
  const address = router.address.value;
  const { layers, task, code } = address;
  const parts = [
    ...(layers === '' ? [] : [{ text: `layer ${layers}`, without: { layers: '' } }]),
    ...(task === '' ? [] : [{ text: task, without: { task: '' } }]),
    ...(code === '' ? [] : [{ text: code, without: { code: '' } }]),
  ];
  return (
    <>
      <label class="members-state">
        State{' '}
        <select
          class="field"
          value={address.statuses.length === 1 ? address.statuses[0] : ''}
          onChange={({ currentTarget: { value } }) => {
            router.go({ statuses: isStatus(value) ? [value] : [] });
          }}
        >
          <option value="">{address.statuses.length > 1 ? 'Several' : 'All'}</option>
          {statuses.map((status) => (
            <option key={status} value={status}>
              {statusWords[status]}
            </option>
          ))}
        </select>
      </label>
      {parts.map(({ text, without }) => (
        <a key={text} class="badge" href={addressOf(without, address)}>
          <span class="hidden">Not only </span>
          {text} <span aria-hidden="true">×</span>
        </a>
      ))}
    </>
  );
}

function MemberRow({ member }: { readonly member: MemberJson }) {
  const { router } = usePage();
  const { name, executionId, taskName, follows } = member;
  const status = member.status === 'EXECUTION_STATUS_UNSPECIFIED' ? undefined : statusOf(member.status);
  const ended = instantOf(member.endedAt);
  const some = follows.slice(0, 3).map((each) => `#${each}`);
  return (
    <tr>
      <td>
        #{member.member} {name}
      </td>
      <td>
        <a class="mono" href={addressOf({ execution: executionId }, router.address.value)}>
          {executionId}
        </a>
      </td>
      <td>{taskName}</td>
      <td>
        {status === undefined ? (
          <span class="quiet">deleted</span>
        ) : (
          <StatusMark state={status} status={status} />
        )}
      </td>
      <td class="mono">{enumWord(member.errorCode, 'ERROR_CODE_')}</td>
      <td>{countText(member.layer + 1)}</td>
      <td>
        {some.join(', ')}
        {follows.length > some.length && ` and ${countText(follows.length - some.length)} more`}
      </td>
      <td>{ended === undefined ? '' : timeText(ended)}</td>
    </tr>
  );
}
