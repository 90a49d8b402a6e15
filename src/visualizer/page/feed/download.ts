/** Hands a file of the node to the browser. */
import type { Call } from './call.ts';

/**
 * `path` is one of `/api/history/ID` and `/api/snapshots/ID`; `tenant` that of the execution, or empty for the one that
 * the page shows. Rejects with a CallFault.
 */
export type Download = (path: string, tenant: string) => Promise<void>;

/** The browser fetches it by itself, and shows no token: the node is asked for an address that is good for one time. */
export function createDownload(call: Call): Download {
  return async (path, tenant) => {
    const ticket = await call<{ readonly path: string }>('tickets', { path }, { tenant });
    const link = document.createElement('a');
    link.href = ticket.path;
    link.download = '';
    document.body.append(link);
    link.click();
    link.remove();
  };
}
