/** Hands a file of the node to the browser. */
import type { Call } from './call.ts';

/** `path` is one of `/api/history/ID` and `/api/snapshots/ID`. Rejects with a CallFault. */
export type Download = (path: string) => Promise<void>;

/** The browser fetches it by itself, and shows no token: the node is asked for an address that is good for one time. */
export function createDownload(call: Call): Download {
  return async (path) => {
    const ticket = await call<{ readonly path: string }>('tickets', { path });
    const link = document.createElement('a');
    link.href = ticket.path;
    link.download = '';
    document.body.append(link);
    link.click();
    link.remove();
  };
}
