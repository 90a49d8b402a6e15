import type { Clock } from '../domain/clock.ts';
import { RequestError } from '../domain/errors.ts';
import type { Executions } from '../domain/executions.ts';
import type { Snapshots } from '../domain/snapshot/port.ts';
import type { SeenExecution } from './access/seen-executions.ts';
import type { ClientStreamHandler, StreamHandler } from './call.ts';
import type {
  RestoreExecutionRequest,
  RestoreExecutionResponse,
  SnapshotExecutionRequest,
  SnapshotExecutionResponse,
} from './gen/spearlet/snapshot_pb.js';
import {
  dataFromWire,
  dataToWire,
  restoredToWire,
  restoreOptionsFromWire,
  summaryToWire,
  takeOptionsFromWire,
} from './wire/snapshot.ts';

export interface SnapshotServiceOptions {
  readonly snapshots: Snapshots;
  readonly executions: Pick<Executions, 'estimate'>;
  readonly seen: SeenExecution;
  readonly clock: Clock;
}

export interface SnapshotService {
  readonly snapshotExecution: StreamHandler<SnapshotExecutionRequest, SnapshotExecutionResponse>;
  readonly restoreExecution: ClientStreamHandler<RestoreExecutionRequest, RestoreExecutionResponse>;
}

export function createSnapshotService({
  snapshots,
  executions,
  seen,
  clock,
}: SnapshotServiceOptions): SnapshotService {
  return {
    async snapshotExecution(request, call, send) {
      const taken = await snapshots.take(await seen(call.scope, request.executionId), {
        ...takeOptionsFromWire(request),
        by: call.principal.name,
      });
      let gone = false;
      call.onGone(() => {
        gone = true;
      });
      const sent = send(summaryToWire(taken));
      if (sent !== undefined) await sent;
      for await (const data of taken.bytes) {
        if (gone) return;
        const busy = send(dataToWire(data));
        if (busy !== undefined) await busy;
      }
    },

    async restoreExecution(requests, call) {
      const leaving = new AbortController();
      call.onGone(() => leaving.abort());
      const messages = requests[Symbol.asyncIterator]();
      try {
        const first = await messages.next();
        if (leaving.signal.aborted) throw callerGone();
        const options = restoreOptionsFromWire(first.done === true ? undefined : first.value);
        const wishes = { ...options, principal: call.principal, scope: call.scope };
        const restored = await snapshots.restore(dataOf(messages), wishes, leaving.signal);
        const now = Math.round(clock.now());
        return restoredToWire(restored, executions.estimate(restored.record), now);
      } finally {
        await messages.return?.();
      }
    },
  };
}

async function* dataOf(messages: AsyncIterator<RestoreExecutionRequest>): AsyncGenerator<Uint8Array> {
  for (;;) {
    const next = await messages.next();
    if (next.done === true) return;
    yield dataFromWire(next.value);
  }
}

function callerGone(): RequestError {
  return new RequestError('cancelled', 'the caller went away; nothing was restored', {
    reason: 'CALLER_GONE',
  });
}
