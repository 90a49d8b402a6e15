/** An execution that goes on under a new id: its log begins with the state that the old one was in. */
import type { NewEvent } from '../../domain/event.ts';
import type { ExecutionRecord, JsonValue } from '../../domain/execution.ts';
import { contextPatch } from '../../domain/patch.ts';
import type { MachinePart } from '../../domain/snapshot/parts.ts';
import { damaged } from '../../domain/snapshot/refusal.ts';
import type { Replayed } from '../../machines/replay.ts';
import { storedContext } from '../../machines/stored-context.ts';

/** `machine` is the document's own where this node does not know its chart: it will say so when it is taken up. */
export function asNewEvent(
  executionId: string,
  { state, status, attempt }: ExecutionRecord,
  machine: Replayed | MachinePart,
  now: number,
): NewEvent {
  const context = 'context' in machine ? storedContext(machine.context) : contextOf(machine.snapshot);
  return {
    kind: 'transition',
    sequence: 1,
    time: now,
    status,
    attempt,
    from: '',
    to: state,
    eventType: 'restored',
    reasonCode: '',
    contextPatch: contextPatch(undefined, { ...context, executionId }),
    chartVersion: machine.chartVersion,
  };
}

function contextOf(snapshot: JsonValue): object {
  const context =
    snapshot !== null && typeof snapshot === 'object' && 'context' in snapshot ? snapshot.context : null;
  if (context === null || typeof context !== 'object' || Array.isArray(context)) {
    throw damaged(1, 'the machine has no context');
  }
  return context;
}

export function asNewRecord(
  record: ExecutionRecord,
  executionId: string,
  requestId: string,
  now: number,
): ExecutionRecord {
  const began = record.attempt > 0;
  const { startedAt: _startedAt, ...rest } = record;
  return {
    ...rest,
    executionId,
    requestId,
    originId: record.executionId,
    invocationId: '',
    payloadDigest: '',
    createdAt: now,
    ...(began && { startedAt: now }),
    queueTimeMs: 0,
    executionTimeMs: 0,
    lastSequence: 1,
    attemptSequence: began ? 1 : 0,
    outputBytes: 0,
    outputEvents: 0,
    droppedBytes: 0,
    resourceUse: {},
  };
}
