/** Supervised batches as a branch of the tree of a node: each with its members, in their order. Pure. */
import type { ExecutionRow } from '../model/execution-row.ts';
import { countText } from '../model/quantity.ts';
import type { SupervisedBatch } from '../model/supervised-batch.ts';
import type { Actor } from './actor.ts';

const none = { state: '', facts: [], queueLength: 0, restarts: 0, children: [] } as const;

/** Undefined where no batch is supervised. */
export function batchBranch(
  batches: readonly SupervisedBatch[],
  rowOf: (executionId: string) => ExecutionRow | undefined,
): Actor | undefined {
  if (batches.length === 0) return undefined;
  return {
    ...none,
    key: 'supervisor/batches',
    kind: 'supervisor',
    name: 'batches',
    facts: [`${countText(batches.length)} supervised`],
    restarts: batches.reduce((sum, { restarts }) => sum + restarts, 0),
    children: batches.map((batch) => supervised(batch, rowOf)),
  };
}

function supervised(batch: SupervisedBatch, rowOf: (id: string) => ExecutionRow | undefined): Actor {
  const { id, phase, strategy, recentRestarts, intensity, within, restarts, members } = batch;
  return {
    ...none,
    key: `batch/${id}`,
    kind: 'supervised batch',
    name: id,
    state: phase,
    facts: [strategy, `${recentRestarts} of ${intensity} restarts within ${within}`],
    restarts,
    children: members.map((member, place) => {
      const row = rowOf(member.executionId);
      return {
        ...none,
        // It keeps its place, whichever execution it has.
        key: `batch/${id}/${place}`,
        kind: 'execution',
        name: member.name,
        state: row?.state ?? member.status ?? '',
        ...(member.status !== undefined && { status: member.status }),
        facts: [member.restart, member.executionId],
        restarts: member.restarts,
        link: { execution: member.executionId },
      } satisfies Actor;
    }),
  };
}
