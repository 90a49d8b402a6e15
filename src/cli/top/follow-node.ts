import { setTimeout as sleep } from 'node:timers/promises';
import { isLostConnection } from '../../client/rpc-details.ts';
import { type ExecutionResult, ExecutionStatus } from '../../server/gen/spearlet/function_pb.js';
import type { WatchNodeResponse } from '../../server/gen/spearlet/node_pb.js';
import { LostServerError } from '../reattach.ts';
import type { Session } from '../session.ts';

interface FollowOptions {
  readonly allTenants: boolean;
  readonly signal: AbortSignal;
  /** The server went away, or is back. */
  lost(isLost: boolean): void | Promise<void>;
  /** How long the server may be away, in milliseconds. */
  readonly reconnectTimeoutMs: number;
}

const pauseMs = 500;

/** The news of a node over as many connections as it takes; ends when `signal` aborts. Rejects as the first call does. */
export async function* followNode(
  session: Session,
  { allTenants, signal, lost, reconnectTimeoutMs }: FollowOptions,
): AsyncGenerator<WatchNodeResponse, void, undefined> {
  let position = 0n;
  let lostAt: number | undefined;
  for (;;) {
    try {
      for await (const news of session.nodes.watchNode({ fromPosition: position, allTenants }, { signal })) {
        if (lostAt !== undefined) await lost(false);
        lostAt = undefined;
        position = news.position;
        yield news;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (position === 0n || !isLostConnection(error)) throw error;
      if (lostAt === undefined) await lost(true);
      lostAt ??= performance.now();
      if (performance.now() - lostAt > reconnectTimeoutMs) {
        throw new LostServerError(`cannot reach the server at ${session.address}`, { cause: error });
      }
    }
    if (signal.aborted) return;
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

const largestPage = 1000;

/** What has not ended: the newest of it, where there is very much. */
export async function listLive(session: Session, allTenants: boolean): Promise<readonly ExecutionResult[]> {
  const statuses = [ExecutionStatus.RUNNING, ExecutionStatus.PENDING];
  const pages = statuses.map((status) =>
    session.functions.listExecutions({ statuses: [status], pageSize: largestPage, allTenants }),
  );
  return (await Promise.all(pages)).flatMap(({ executions }) => executions);
}
