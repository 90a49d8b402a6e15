/** One execution out of a file: what it shows is not the node. */
import { ExecutionView } from '../execution/execution-view.tsx';
import { useKeys } from '../keyboard/keys.ts';
import type { ExecutionSource } from '../model/execution-source.ts';
import { Icon } from '../theme/icon.tsx';
import { usePage } from './page.ts';
import { SignatureLine } from './signature-line.tsx';
import './pane.css';
import './file-pane.css';

export function FilePane({ source }: { readonly source: ExecutionSource }) {
  const { file } = usePage();
  const close = () => {
    file.value = undefined;
    source.close();
  };
  useKeys('File', [{ key: 'Escape', help: 'Close the file', act: close }]);
  return (
    <div class="pane">
      <p class="file-banner" role="status">
        <Icon name="file" />
        <span>
          <strong>A file, not the node:</strong> {source.fileName}. Nothing here changes any more.
        </span>
        <button type="button" class="button" onClick={close}>
          Close the file
        </button>
      </p>
      {source.signature !== undefined && <SignatureLine signature={source.signature} />}
      <ExecutionView source={source} />
    </div>
  );
}
