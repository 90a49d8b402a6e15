/** Files that are dropped anywhere on the page are opened. */
import { useEffect, useState } from 'preact/hooks';
import { openFile } from '../execution/offline-source.ts';
import { faultText } from '../feed/call.ts';
import { Icon } from '../theme/icon.tsx';
import { type Page, usePage } from './page.ts';
import './drop-area.css';

export function DropArea() {
  const page = usePage();
  const [over, setOver] = useState(false);
  useEffect(() => {
    const carriesFile = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true;
    const dragged = (event: DragEvent) => {
      if (!carriesFile(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const left = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    const dropped = (event: DragEvent) => {
      if (!carriesFile(event)) return;
      // A field that takes files itself keeps them.
      if (event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      setOver(false);
      const file = event.dataTransfer?.files[0];
      if (file !== undefined) void showFile(page, file);
    };
    document.addEventListener('dragover', dragged);
    document.addEventListener('dragleave', left);
    document.addEventListener('drop', dropped);
    return () => {
      document.removeEventListener('dragover', dragged);
      document.removeEventListener('dragleave', left);
      document.removeEventListener('drop', dropped);
    };
  }, [page]);
  if (!over) return null;
  return (
    <div class="drop-area">
      <div>
        <Icon name="file" size={28} />
        <strong>Drop it to look into it</strong>
        <span>A downloaded history or a snapshot. The node is not asked, and nothing is changed.</span>
      </div>
    </div>
  );
}

/** Shows a history or a snapshot instead of the node. */
export async function showFile({ file, machines, notices, dialogs }: Page, chosen: File): Promise<void> {
  try {
    const source = await openFile(chosen, machines.peek());
    dialogs.close();
    file.peek()?.close();
    file.value = source;
  } catch (error) {
    notices.complain(`${chosen.name} cannot be shown: ${faultText(error)}`);
  }
}
