/** Composes what carries executions between nodes. */
import { join } from 'node:path';
import type { IdSource } from '../actors/ids.ts';
import { Restoring } from '../actors/snapshots/restoring.ts';
import { type SnapshotKeys, signingKey, trustedKey } from '../actors/snapshots/seals.ts';
import { takeSnapshot } from '../actors/snapshots/snapshots.ts';
import type { NodeTime } from '../actors/time/node-time.ts';
import type { NodeConfig } from '../config.ts';
import type { Clock } from '../domain/clock.ts';
import { invalidArgument, quote } from '../domain/errors.ts';
import type { Transfers } from '../domain/executions.ts';
import type { Reserved } from '../domain/scheduling/task-gates.ts';
import type { Snapshots } from '../domain/snapshot/port.ts';
import type { Task } from '../domain/task.ts';
import type { TaskCaps } from '../domain/task-bounds.ts';
import type { Tasks } from '../domain/tasks.ts';
import { payloadDigest } from '../server/payload.ts';
import { mostKeyBytes, readSmallFile } from '../small-file.ts';
import type { Artifacts } from '../stores/artifacts.ts';
import { openSpool } from '../stores/spool.ts';
import type { Store } from '../stores/store.ts';
import { packageVersion } from '../version.ts';
import type { Runtimes } from './runtimes.ts';

export interface SnapshotParts {
  readonly nodeId: string;
  readonly store: Store;
  readonly artifacts: Artifacts;
  readonly runtimes: Runtimes;
  readonly tasks: Tasks;
  readonly transfers: Transfers;
  readonly clock: Clock;
  readonly time: NodeTime;
  readonly ids: IdSource;
  readonly hostAccess: boolean;
  readonly caps: TaskCaps;
  /** What attempts of the task take of what is counted here. */
  readonly reserves: (task: Task) => Reserved | undefined;
  /** Throws unavailable while the node takes up nothing. */
  readonly checkOpen?: (tenant?: string) => void;
}

/** A line's only parts without pieces came in one request each, whose characters JSON may escape. */
const lineBytesPerRequestByte = 8;
const maxLineBytes = 256 * 1024 * 1024;

/** Rejects with a RequestError that names the flag where a key cannot be read. */
export async function openSnapshots(config: NodeConfig, parts: SnapshotParts): Promise<Snapshots> {
  const keys = await readKeys(config);
  const shared = { ...parts, keys };
  const restoring = new Restoring({
    ...shared,
    checkCall: parts.tasks.checkCall.bind(parts.tasks),
    payloadDigest,
    spool: await openSpool(join(config.dataDir, 'spool')),
    policy: {
      allow: new Set(config.restoreAllow),
      hostAccess: parts.hostAccess,
      maxArtifactBytes: config.maxArtifactBytes,
      caps: parts.caps,
    },
    maxBytes: config.maxSnapshotBytes,
    maxAtOnce: config.maxRestores,
    maxLineBytes: Math.min(maxLineBytes, lineBytesPerRequestByte * config.maxRequestBytes + 1024 * 1024),
  });
  const taking = { ...shared, program: `spear ${packageVersion()}` };
  return {
    take: (executionId, wishes) => takeSnapshot(taking, executionId, wishes),
    restore: (bytes, wishes, signal) => restoring.restore(bytes, wishes, signal),
  };
}

async function readKeys(config: NodeConfig): Promise<SnapshotKeys> {
  const signing =
    config.signingKey === ''
      ? undefined
      : signingKey('--signing-key', readKey('--signing-key', config.signingKey));
  const trusted = config.trustedKey.map(async (path) =>
    trustedKey('--trusted-key', readKey('--trusted-key', path)),
  );
  return { signing, trusted: new Set(await Promise.all(trusted)) };
}

function readKey(flag: string, path: string): string {
  try {
    return readSmallFile(path, mostKeyBytes).toString();
  } catch (error) {
    const why =
      error instanceof Error ? ('code' in error ? String(error.code) : error.message) : String(error);
    throw invalidArgument(flag, `cannot read ${quote(path)}: ${why}`);
  }
}
