/** Everything that the page is made of, for the components that need it. */
import type { ReadonlySignal, Signal } from '@preact/signals';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Acts } from '../actions/acts.ts';
import type { Dialogs } from '../actions/dialogs.ts';
import type { Call, CallForLines } from '../feed/call.ts';
import type { Download } from '../feed/download.ts';
import type { Feed } from '../feed/feed.ts';
import type { ListModel } from '../list/list-model.ts';
import type { ExecutionSource } from '../model/execution-source.ts';
import type { Machine } from '../model/machine.ts';
import type { Task } from '../model/task.ts';
import type { May } from '../session/may.ts';
import type { Session } from '../session/session.ts';
import type { Tenants } from '../session/tenants.ts';
import type { Notices } from './notices.ts';
import type { Router } from './router.ts';

export interface Page {
  readonly session: Session;
  readonly router: Router;
  readonly call: Call;
  readonly callForLines: CallForLines;
  readonly feed: Feed;
  readonly list: ListModel;
  readonly notices: Notices;
  readonly acts: Acts;
  /** Reads a signal: whoever draws with it is drawn again where the reader becomes another. */
  readonly may: May;
  readonly tenants: Tenants;
  readonly download: Download;
  readonly dialogs: Dialogs;
  /** By name; as they were when the page last asked. */
  readonly tasks: ReadonlySignal<readonly Task[]>;
  /** Nothing while the page asks; none where the node did not tell. */
  readonly machines: ReadonlySignal<readonly Machine[] | undefined>;
  /** A file that is shown instead of the node. */
  readonly file: Signal<ExecutionSource | undefined>;
}

export const PageContext = createContext<Page | undefined>(undefined);

export function usePage(): Page {
  const page = useContext(PageContext);
  if (page === undefined) throw new Error('a component of the page stands outside of it');
  return page;
}
