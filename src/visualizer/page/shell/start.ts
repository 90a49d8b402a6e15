/** Puts the page together. The only place that does. */
import { effect, signal, untracked } from '@preact/signals';
import { createActs } from '../actions/acts.ts';
import { createDialogs } from '../actions/dialogs.ts';
import { startClock } from '../clock.ts';
import { createCall, createCallForLines, createCallWithLines } from '../feed/call.ts';
import { createDownload } from '../feed/download.ts';
import { createRequestEvents } from '../feed/event-request.ts';
import { createFeed } from '../feed/feed.ts';
import { fetchWithin } from '../feed/tenant-header.ts';
import { keepUnfinished } from '../feed/unfinished.ts';
import { startKeys } from '../keyboard/keys.ts';
import { createListModel } from '../list/list-model.ts';
import { RowStore } from '../list/row-store.ts';
import type { ExecutionSource } from '../model/execution-source.ts';
import { type Machine, machineOf } from '../model/machine.ts';
import { type Task, taskOf } from '../model/task.ts';
import { createMay } from '../session/may.ts';
import { startSession } from '../session/session.ts';
import { createTenants } from '../session/tenants.ts';
import { applyTheme } from '../theme/theme.ts';
import type { MachineJson, TaskJson } from '../wire.ts';
import { createNotices } from './notices.ts';
import type { Page } from './page.ts';
import { startRouter } from './router.ts';

export function startPage(): Page {
  // First of all: what is in the address may be a secret.
  const session = startSession(fetch.bind(globalThis));
  const may = createMay(session);
  const router = startRouter(window);
  const fetchHere = fetchWithin(session.fetch, router.address.peek().tenant);
  const call = createCall(fetchHere);
  const callWithLines = createCallWithLines(fetchHere);
  const tenants = createTenants({ session, call, address: router.address });
  const rows = new RowStore();
  const feed = createFeed(rows, createRequestEvents(fetchHere));
  const tasks = signal<readonly Task[]>([]);
  const machines = signal<readonly Machine[] | undefined>(undefined);
  const page: Page = {
    session,
    router,
    call,
    callForLines: createCallForLines(fetchHere),
    feed,
    list: createListModel({ call, feed, rows, router }),
    notices: createNotices(),
    acts: createActs({ call, callWithLines, may, tenantOf: (id) => tenants.of(rows.get(id)) }),
    may,
    tenants,
    download: createDownload(call),
    dialogs: createDialogs(),
    tasks,
    machines,
    file: signal<ExecutionSource | undefined>(undefined),
  };
  // The page lives as long as its document: nothing of this is ever stopped.
  startClock();
  startKeys();
  applyTheme();
  effect(() => {
    const { value: state } = session.state;
    if (state === 'open') untracked(feed.start);
    else if (state === 'shut') untracked(feed.pause);
  });
  effect(() => {
    const { value: fault } = session.fault;
    // The node may take this page without a token; else the way in says it.
    if (fault !== '' && feed.connection.value.phase === 'live') untracked(() => page.notices.complain(fault));
  });
  effect(() => {
    // Whoever is there now, or again, may take it for another.
    if (feed.epoch.value + feed.returns.value > 0) untracked(session.learn);
  });
  keepUnfinished(call, feed, rows);
  let known = '';
  effect(() => {
    // What registered tasks there are is no news of the feed: it is read again when the node's own count changes, and
    // where it is known that the reader may see those of others.
    const node = feed.node.value;
    const version = `${feed.epoch.value} ${node?.supervisors.find(({ name }) => name === 'tasks')?.children} ${session.caller.value?.role}`;
    if (feed.epoch.value === 0 || version === known) return;
    known = version;
    readTasks().catch(() => {
      // Without names the filter offers none; the connection's state says the rest.
    });
  });
  effect(() => {
    const isReadable = session.state.value === 'open' && feed.epoch.value > 0;
    if (!isReadable || (machines.peek() ?? []).length > 0) return;
    readMachines().catch(() => {
      // An execution is shown all the same, with as much of its chart as its log tells.
      machines.value = [];
    });
  });
  return page;

  /** Of each tenant, where all are shown. */
  async function readTasks(): Promise<void> {
    await tenants.read();
    const asked = tenants.all ? tenants.known.peek() : [''];
    const found = await Promise.all(asked.map(readTasksOf));
    tasks.value = found.flat().slice(0, maxTasks);
  }

  async function readTasksOf(tenant: string): Promise<readonly Task[]> {
    const found: Task[] = [];
    for (let pageToken = ''; ; ) {
      const answer = await call<{ readonly tasks: readonly TaskJson[]; readonly nextPageToken: string }>(
        'TaskService/ListTasks',
        { pageSize: 1000, pageToken },
        { tenant },
      );
      found.push(...answer.tasks.map(taskOf));
      pageToken = answer.nextPageToken;
      if (pageToken === '' || found.length >= maxTasks) break;
    }
    return found;
  }

  async function readMachines(): Promise<void> {
    const answer = await call<{ readonly machines: readonly MachineJson[] }>(
      'NodeService/DescribeMachines',
      {},
    );
    machines.value = answer.machines.map(machineOf);
  }
}

const maxTasks = 5000;
