/** What a new execution does to the others that share a value of a key, where their task says so (`when_full`). */
import { type ExecutionGate, gatesOf, hasToBeKnown } from '../../domain/scheduling/task-gates.ts';
import type { WhenFull } from '../../domain/task.ts';
import type { LiveExecution } from './live-execution.ts';
import type { LiveExecutions } from './live-executions.ts';

type Cancel = (executionId: string, reason: string) => void;

/** Of those that have not begun, as many of the newest stay as there is room for, and one at least. */
export function replaceWaiting(newer: LiveExecution, executions: LiveExecutions, cancel: Cancel): void {
  for (const { limit, key, sharing } of sharedBy(newer, executions, ['replacePending', 'cancelRunning'])) {
    const running = sharing.filter(
      ({ state }) => state === 'running.attempting' || state === 'running.stopping',
    );
    const waiting = sharing.filter(({ state }) => state === 'pending.queued' || state === 'pending.waiting');
    const stays = Math.max(1, limit - running.length);
    for (const { executionId } of waiting.slice(0, Math.max(0, waiting.length - stays))) {
      if (executionId !== newer.executionId) cancel(executionId, superseded(newer, key));
    }
  }
}

/** The newer one is durable: the oldest that runs makes room for it, unless one does already. */
export function endOldest(newer: LiveExecution, executions: LiveExecutions, cancel: Cancel): void {
  if (newer.state !== 'pending.queued') return;
  for (const { limit, key, sharing } of sharedBy(newer, executions, ['cancelRunning'])) {
    const running = sharing.filter(({ state }) => state === 'running.attempting');
    const [oldest] = running;
    if (oldest !== undefined && running.length >= limit) cancel(oldest.executionId, superseded(newer, key));
  }
}

function superseded({ executionId }: LiveExecution, key: string): string {
  return `SUPERSEDED: ${executionId} is newer, and takes its place (concurrency ${key})`;
}

/** Its keys of which the task says one of those, each with all that have its value, the oldest first. */
function sharedBy({ log: { record } }: LiveExecution, executions: LiveExecutions, said: readonly WhenFull[]) {
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
