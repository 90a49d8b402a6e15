/** Makes an alias, or moves it. */
import { useState } from 'preact/hooks';
import { FaultLine } from '../actions/fault-line.tsx';
import { useSubmission } from '../actions/submission.ts';
import type { CallOptions } from '../feed/call.ts';
import { liveAlias, type Revisions, sharesFrom, sharesText } from '../model/revision.ts';
import { usePage } from '../shell/page.ts';

interface Props {
  readonly known: Revisions;
  readonly within: CallOptions;
  readonly readAgain: () => void;
}

export function AliasForm({ known, within, readAgain }: Props) {
  const { call, notices } = usePage();
  const { aliases, revisions, taskId, taskName } = known;
  const [name, setName] = useState(liveAlias);
  const [text, setText] = useState('');
  const { busy, fault, submit } = useSubmission(async () => {
    const said = sharesFrom(text, revisions[0]?.revision ?? 0);
    if ('fault' in said) throw new Error(said.fault);
    const { shares } = said;
    const expectedVersion = aliases.find((alias) => alias.name === name)?.version ?? 0;
    const request = { task: taskId, alias: name, shares, expectedVersion };
    try {
      await call('RevisionService/SetAlias', request, within);
    } finally {
      readAgain();
    }
    notices.say(`${name} of ${taskName} names ${sharesText(shares)}`);
    setText('');
  });
  return (
    <form class="form inline-form" onSubmit={submit}>
      <label class="labelled">
        Alias
        <input
          class="field mono"
          value={name}
          required
          spellcheck={false}
          onInput={(event) => setName(event.currentTarget.value.trim())}
        />
      </label>
      <label class="labelled">
        Revision, or shares
        <input
          class="field mono"
          value={text}
          required
          placeholder="3, newest or 3:90,4:10"
          spellcheck={false}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="button" disabled={busy}>
        {busy ? 'Asking the node…' : 'Set alias'}
      </button>
      <FaultLine text={fault} />
    </form>
  );
}
