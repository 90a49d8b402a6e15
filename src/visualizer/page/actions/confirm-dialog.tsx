import { useState } from 'preact/hooks';
import type { Confirmation } from './dialogs.ts';
import { FaultLine } from './fault-line.tsx';
import { Modal } from './modal.tsx';
import { useSubmission } from './submission.ts';

export function ConfirmDialog({
  dialog,
  close,
}: {
  readonly dialog: Confirmation;
  readonly close: () => void;
}) {
  const [line, setLine] = useState('');
  const { busy, fault, submit } = useSubmission(async () => {
    await dialog.run(line.trim());
    close();
  });
  return (
    <Modal title={dialog.title} close={close}>
      <form onSubmit={submit}>
        {dialog.text.map((paragraph) => (
          <p key={paragraph}>{paragraph}</p>
        ))}
        {dialog.field !== undefined && (
          <label class="labelled">
            {dialog.field}
            <input
              class="field"
              value={line}
              maxLength={500}
              onInput={(event) => setLine(event.currentTarget.value)}
            />
          </label>
        )}
        <FaultLine text={fault} />
        <footer class="modal-foot">
          <button type="button" class="button" onClick={close}>
            Keep as it is
          </button>
          <button type="submit" class={dialog.danger ? 'button danger' : 'button primary'} disabled={busy}>
            {busy ? 'Asking the node…' : dialog.button}
          </button>
        </footer>
      </form>
    </Modal>
  );
}
