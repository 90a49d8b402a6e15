import { DialogHost } from '../actions/dialog-host.tsx';
import { useKeys } from '../keyboard/keys.ts';
import { ListView } from '../list/list-view.tsx';
import { nextTheme } from '../theme/theme.ts';
import { TreeView } from '../tree/tree-view.tsx';
import { useDocumentTitle } from './document-title.ts';
import { DropArea } from './drop-area.tsx';
import { FilePane } from './file-pane.tsx';
import { LivePane } from './live-pane.tsx';
import { NodeBar } from './node-bar.tsx';
import { NoticeList } from './notice-list.tsx';
import { usePage } from './page.ts';
import './shell.css';

export function App() {
  const { dialogs, router, file } = usePage();
  const { view, execution } = router.address.value;
  useKeys('Everywhere', [
    { key: '?', help: 'This help', act: () => dialogs.show({ kind: 'help' }) },
    { key: 'e', help: 'Executions', act: () => router.go({ view: 'list', execution: '', at: undefined }) },
    {
      key: 't',
      help: 'Tree of the node',
      act: () => router.go({ view: 'tree', execution: '', at: undefined }),
    },
    { key: 'b', help: 'Breakpoints', act: () => dialogs.show({ kind: 'breakpoints' }) },
    { key: '\\', help: 'Light, dark or automatic', act: nextTheme },
  ]);
  useDocumentTitle();
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <NodeBar />
      <main id="main" tabIndex={-1}>
        {file.value !== undefined ? (
          <FilePane source={file.value} />
        ) : execution !== '' ? (
          <LivePane key={execution} id={execution} />
        ) : view === 'tree' ? (
          <TreeView />
        ) : (
          <ListView />
        )}
      </main>
      <NoticeList />
      <DialogHost />
      <DropArea />
    </>
  );
}
