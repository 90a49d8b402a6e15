import { DialogHost } from '../actions/dialog-host.tsx';
import { BatchesView } from '../batch/batches-view.tsx';
import { useKeys } from '../keyboard/keys.ts';
import { ListView } from '../list/list-view.tsx';
import { isEnded } from '../model/status.ts';
import { QueueView } from '../queue/queue-view.tsx';
import { SchedulesView } from '../schedules/schedules-view.tsx';
import { TasksView } from '../task/tasks-view.tsx';
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
  const { dialogs, list, router, file, notices } = usePage();
  const { view, execution } = router.address.value;
  /** As the button of an execution does where there is one. */
  const breakpoints = () => {
    const row = list.rows.get(execution);
    const isOpen = execution !== '' && file.peek() === undefined && !(row && isEnded(row.status));
    return { kind: 'breakpoints' as const, ...(isOpen && { execution }) };
  };
  // What is chosen in a view of its own is no filter of the list.
  const leaving = {
    ...{ execution: '', at: undefined },
    ...(view === 'batches' && { batch: '', task: '', code: '', statuses: [], layers: '', zoom: '' }),
    ...(view === 'tasks' && { task: '' }),
    ...(view === 'schedules' && { schedule: '' }),
  };
  useKeys('Everywhere', [
    { key: '?', help: 'This help', act: () => dialogs.show({ kind: 'help' }) },
    { key: 'e', help: 'Executions', act: () => router.go({ view: 'list', ...leaving }) },
    { key: 't', help: 'Tree of the node', act: () => router.go({ view: 'tree', ...leaving }) },
    { key: 'q', help: 'Queue', act: () => router.go({ view: 'queue', ...leaving }) },
    { key: 'm', help: 'Batches', act: () => router.go({ view: 'batches', ...leaving, batch: '' }) },
    { key: 'u', help: 'Tasks', act: () => router.go({ view: 'tasks', ...leaving, task: '' }) },
    {
      key: 's',
      help: 'Schedules',
      act: () => router.go({ view: 'schedules', ...leaving, schedule: '' }),
    },
    { key: 'b', help: 'Breakpoints', act: () => dialogs.show(breakpoints()) },
    { key: 'd', help: 'Dismiss notices', act: () => notices.dismissAll() },
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
        ) : view === 'queue' ? (
          <QueueView />
        ) : view === 'batches' ? (
          <BatchesView />
        ) : view === 'tasks' ? (
          <TasksView />
        ) : view === 'schedules' ? (
          <SchedulesView />
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
