/** The members of a batch that the address asks for, a page at a time. */
import { useEffect, useState } from 'preact/hooks';
import { CallFault, faultText } from '../../feed/call.ts';
import { type Address, layersOf } from '../../model/address.ts';
import type { Batch, MemberJson } from '../../model/batch.ts';
import { statusName } from '../../model/status.ts';
import { usePage } from '../../shell/page.ts';
import type { ListBatchMembersResponseJson } from '../../wire.ts';

export const pageSize = 50;

interface Read {
  readonly query: string;
  readonly members: readonly MemberJson[];
  /** Empty at the end. */
  readonly next: string;
}

export interface MemberPages {
  /** Undefined until the node has answered. */
  readonly members: readonly MemberJson[] | undefined;
  /** Why the node does not tell; empty where it does. */
  readonly fault: string;
  /** From 0. */
  readonly page: number;
  /** Absent where there is none. */
  readonly forward?: () => void;
  readonly back?: () => void;
}

/** The page that is shown is read anew when the counts of the batch change. */
export function useMemberPages(batch: Batch): MemberPages {
  const { call, router } = usePage();
  const query = JSON.stringify(requestOf(batch.id, router.address.value));
  /** The tokens of the pages up to the one that is shown. */
  const [way, setWay] = useState<{ readonly query: string; readonly tokens: readonly string[] }>();
  const [read, setRead] = useState<Read>();
  const [fault, setFault] = useState('');
  const tokens = way?.query === query ? way.tokens : [''];
  const pageToken = tokens.at(-1) ?? '';
  const counts = JSON.stringify(batch.counts);
  useEffect(() => {
    const leaving = new AbortController();
    const request = { ...(JSON.parse(query) as object), pageToken };
    call<ListBatchMembersResponseJson>('BatchService/ListBatchMembers', request, { signal: leaving.signal })
      .then(({ members, nextPageToken }) => {
        setFault('');
        setRead({ query, members, next: nextPageToken });
      })
      .catch((error: unknown) => {
        if (leaving.signal.aborted || (error instanceof CallFault && error.reason === 'UNREACHABLE')) return;
        setFault(faultText(error));
      });
    return () => leaving.abort();
  }, [call, query, pageToken, counts]);
  const known = read?.query === query ? read : undefined;
  return {
    members: known?.members,
    fault,
    page: tokens.length - 1,
    ...(known !== undefined &&
      known.next !== '' && { forward: () => setWay({ query, tokens: [...tokens, known.next] }) }),
    ...(tokens.length > 1 && { back: () => setWay({ query, tokens: tokens.slice(0, -1) }) }),
  };
}

function requestOf(batchId: string, { statuses, task, code, layers }: Address) {
  const wanted = layersOf(layers);
  return {
    ...{ batchId, pageSize },
    statuses: statuses.map(statusName),
    ...(task !== '' && { taskName: task }),
    ...(code !== '' && { errorCodes: [`ERROR_CODE_${code}`] }),
    ...(wanted !== undefined && { firstLayer: wanted.first - 1, lastLayer: wanted.last - 1 }),
  };
}
