/** How what an older chart wrote is read by this one. */
import type { RecoveryPolicy } from '../domain/interruption.ts';
import { executionChartVersion } from './execution.ts';

/** A state and a context that this version cannot go on from. */
export class SnapshotIncompatible extends Error {
  override readonly name = 'SnapshotIncompatible';
}

/** The state and the context of a machine at one place of its log. */
export interface MachineState {
  /** Path of the state. */
  readonly state: string;
  readonly context: Readonly<Record<string, unknown>>;
}

/** Migration i leads from version i + 1 to i + 2. What has been released is never edited. */
const migrations: readonly ((machineState: MachineState, recovery: RecoveryPolicy) => MachineState)[] = [
  // 2: lost attempts, held executions, timers with policies.
  ({ state, context }, recovery) => {
    // Version 1 left out a change that was too large; what was cancelled would run again.
    if (state === 'running.stopping' && (context.cause ?? null) === null) {
      throw new SnapshotIncompatible('its log does not say why its attempt was stopped');
    }
    return { state, context: { ...context, recovery, lost: 0, recoveries: 0 } };
  },
  // 3: executions that wait for others, of which there were none.
  ({ state, context }) => ({ state, context: { ...context, blockedSince: null } }),
];

/** `recovery` is for a context from before it said so itself. Throws SnapshotIncompatible. */
export function migrated(
  machineState: MachineState,
  version: number,
  recovery: RecoveryPolicy,
): MachineState {
  if (!Number.isInteger(version) || version < 1 || version > executionChartVersion) {
    throw new SnapshotIncompatible(
      `it was written by version ${version} of the execution chart; this node knows 1 to ${executionChartVersion}`,
    );
  }
  return migrations.slice(version - 1).reduce((at, migrate) => migrate(at, recovery), machineState);
}
