/** Opens a file without dragging it. */
import { useRef } from 'preact/hooks';
import { useKeys } from '../keyboard/keys.ts';
import { Icon } from '../theme/icon.tsx';
import { showFile } from './drop-area.tsx';
import { usePage } from './page.ts';

export function FileButton() {
  const page = usePage();
  const field = useRef<HTMLInputElement>(null);
  const choose = () => field.current?.click();
  useKeys('Everywhere', [{ key: 'o', help: 'Open a history or a snapshot file', act: choose }]);
  return (
    <>
      <button
        type="button"
        class="button plain icon"
        title="Open a file (o)"
        aria-label="Open a file"
        onClick={choose}
      >
        <Icon name="file" />
      </button>
      <input
        ref={field}
        type="file"
        hidden
        aria-label="A history or a snapshot file"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          // The same file may be chosen again.
          event.currentTarget.value = '';
          if (file !== undefined) void showFile(page, file);
        }}
      />
    </>
  );
}
