/** Makes an execution of a snapshot file. */
import { useEffect, useState } from 'preact/hooks';
import { sizeText } from '../model/quantity.ts';
import { isEnded, statusWords } from '../model/status.ts';
import { usePage } from '../shell/page.ts';
import { FaultLine } from './fault-line.tsx';
import { Modal } from './modal.tsx';
import { parseEnvironment } from './rerun-form.ts';
import { type SnapshotSubject, snapshotSubject } from './snapshot-subject.ts';
import { useSubmission } from './submission.ts';

export function RestoreDialog({ close }: { readonly close: () => void }) {
  const { acts, notices, router } = usePage();
  const [file, setFile] = useState<File>();
  const [subject, setSubject] = useState<SnapshotSubject>();
  const [read, setRead] = useState(false);
  const [hold, setHold] = useState(true);
  const [asNew, setAsNew] = useState(true);
  const [allowCopy, setAllowCopy] = useState(false);
  const [environment, setEnvironment] = useState('');
  const ended = subject !== undefined && isEnded(subject.status);
  const { busy, fault, submit } = useSubmission(async () => {
    if (file === undefined) throw new Error('choose a snapshot file first');
    const values = parseEnvironment(environment);
    if ('fault' in values) throw new Error(values.fault);
    const { id, notes } = await acts.restore(file, {
      hold: hold && !ended,
      asNew,
      allowCopy,
      environment: values.value,
    });
    close();
    notices.say([`Restored ${id}`, ...notes].join('; '), id);
    router.go({ execution: id, at: undefined });
  });
  useEffect(() => {
    let chosen = true;
    setSubject(undefined);
    setRead(false);
    if (file === undefined) return;
    const take = (found: SnapshotSubject | undefined): void => {
      if (!chosen) return;
      setSubject(found);
      setRead(true);
      // Nothing of what has ended would go on as a new one, and the node refuses it.
      setAsNew(found === undefined || !isEnded(found.status));
    };
    snapshotSubject(file).then(take, () => take(undefined));
    return () => {
      chosen = false;
    };
  }, [file]);
  return (
    <Modal title="Restore from a snapshot" close={close}>
      <form onSubmit={submit} class="form">
        <label class="labelled">
          Snapshot file
          <input
            class="field"
            type="file"
            onChange={(event) => setFile(event.currentTarget.files?.[0] ?? undefined)}
          />
        </label>
        {file !== undefined && (
          <p class="quiet">
            {file.name}, {sizeText(file.size)}
          </p>
        )}
        {ended && (
          <p role="status">
            <span class="mono">{subject.id}</span> has ended ({statusWords[subject.status]}): it is restored
            as a record, under its own id, and nothing of it runs.
          </p>
        )}
        <label class="checked">
          <input
            type="checkbox"
            checked={hold && !ended}
            disabled={ended}
            onChange={(event) => setHold(event.currentTarget.checked)}
          />
          Hold it: nothing runs until it is resumed
        </label>
        <label class="checked">
          <input
            type="checkbox"
            checked={asNew}
            disabled={ended}
            onChange={(event) => setAsNew(event.currentTarget.checked)}
          />
          As a new execution, with an id and a log of its own
        </label>
        <label class="checked">
          <input
            type="checkbox"
            checked={allowCopy}
            disabled={asNew || ended}
            onChange={(event) => setAllowCopy(event.currentTarget.checked)}
          />
          Keep its id although it was not moved: then both go on
        </label>
        <label class="labelled">
          Values for variables that the snapshot left out: NAME=value, one a line
          <textarea
            class="field mono"
            rows={2}
            spellcheck={false}
            value={environment}
            onInput={(event) => setEnvironment(event.currentTarget.value)}
          />
        </label>
        <FaultLine text={fault} />
        <footer class="modal-foot">
          <button type="button" class="button" onClick={close}>
            Do nothing
          </button>
          <button type="submit" class="button primary" disabled={busy || !read}>
            {busy ? 'Asking the node…' : 'Restore'}
          </button>
        </footer>
      </form>
    </Modal>
  );
}
