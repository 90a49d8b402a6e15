/** What a new execution does to the others that share a value of a key, where their task says so (`when_full`). */
import type { ExecutionRecord } from '../../domain/execution.ts';
import { type ExecutionGate, gatesOf, hasToBeKnown } from '../../domain/scheduling/task-gates.ts';
import type { WhenFull } from '../../domain/task.ts';
import type { LiveExecution } from './live-execution.ts';
import type { LiveExecutions } from './live-executions.ts';

type Cancel = (executionId: string, reason: string) => void;

/** Of those that have not begun, as many of the newest stay as there is room for, and one at least. */
export function replaceWaiting(newer: LiveExecution, executions: LiveExecutions, cancel: Cancel): void {
  const { record } = newer.log;
  for (const { limit, key, sharing } of sharedBy(record, executions, ['replacePending', 'cancelRunning'])) {
    for (const executionId of beyond(limit, sharing, sharing.filter(isWaiting).length)) {
      if (executionId !== newer.executionId) cancel(executionId, superseded(newer.executionId, key));
    }
  }
}

/** Those that one with this record would take the place of, if it came now and was to wait or run. */
export function replacedBy(record: ExecutionRecord, executions: LiveExecutions): string[] {
  const shared = sharedBy(record, executions, ['replacePending', 'cancelRunning']);
  const oldest = sharedBy(record, executions, ['cancelRunning']).flatMap(({ limit, sharing }) => {
    const running = sharing.filter(({ state }) => state === 'running.attempting');
    return running.length >= limit ? running.slice(0, 1).map(({ executionId }) => executionId) : [];
  });
  const waiting = shared.flatMap(({ limit, sharing }) =>
    beyond(limit, sharing, sharing.filter(isWaiting).length + 1),
  );
  return [...new Set([...waiting, ...oldest])];
}

/** Of those that share a value and wait, the oldest that do not stay, where with the newest so many wait. */
function beyond(limit: number, sharing: readonly LiveExecution[], waiting: number): string[] {
  const running = sharing.filter(
    ({ state }) => state === 'running.attempting' || state === 'running.stopping',
  );
  const stays = Math.max(1, limit - running.length);
  return sharing
    .filter(isWaiting)
    .slice(0, Math.max(0, waiting - stays))
    .map(({ executionId }) => executionId);
}

function isWaiting({ state }: LiveExecution): boolean {
  return state === 'pending.queued' || state === 'pending.waiting';
}

/** The newer one is durable: the oldest that runs makes room for it, unless one does already. */
export function endOldest(newer: LiveExecution, executions: LiveExecutions, cancel: Cancel): void {
  if (newer.state !== 'pending.queued') return;
  for (const { limit, key, sharing } of sharedBy(newer.log.record, executions, ['cancelRunning'])) {
    const running = sharing.filter(({ state }) => state === 'running.attempting');
    const [oldest] = running;
    if (oldest !== undefined && running.length >= limit)
      cancel(oldest.executionId, superseded(newer.executionId, key));
  }
}

/** Why one is cancelled whose place a newer one takes. */
export function superseded(executionId: string, key: string): string {
  return `SUPERSEDED: ${executionId} is newer, and takes its place (concurrency ${key})`;
}

/** Its keys of which the task says one of those, each with all that have its value, the oldest first. */
function sharedBy(record: ExecutionRecord, executions: LiveExecutions, said: readonly WhenFull[]) {
  if (!hasToBeKnown(record)) return [];
  const { gates = [] } = record;
  return gatesOf(record).flatMap((use, index) => {
    const whenFull = whenFullOf(gates[index]);
    if (use.kind !== 'concurrency' || !said.includes(whenFull)) return [];
    const sharing = [...executions.withKey(use.meter)].flatMap((id) => executions.get(id) ?? []);
    return [{ limit: use.limit, key: use.key, sharing }];
  });
}

function whenFullOf(gate: ExecutionGate | undefined): WhenFull {
  return gate !== undefined && 'limit' in gate ? (gate.whenFull ?? 'queue') : 'queue';
}
