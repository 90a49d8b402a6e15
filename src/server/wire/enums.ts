/** The wire's enums as the domain's words, both ways; a missing case does not compile. */
import type { CacheUse as DomainCacheUse } from '../../domain/cache.ts';
import {
  type ErrorCode as DomainErrorCode,
  type ErrorOrigin as DomainOrigin,
  invalidArgument,
} from '../../domain/errors.ts';
import type { OutputStream as DomainStream } from '../../domain/event.ts';
import type { ExecutionMode as DomainMode, ExecutionStatus as DomainStatus } from '../../domain/execution.ts';
import type { InstanceState as DomainState } from '../../domain/instance.ts';
import type { RuntimeKind as DomainRuntime } from '../../domain/task.ts';
import {
  CacheUse,
  ErrorCode,
  ErrorOrigin,
  ExecutionMode,
  ExecutionStatus,
  OutputStream,
} from '../gen/spearlet/function_pb.js';
import { InstanceState } from '../gen/spearlet/instance_pb.js';
import { RuntimeKind } from '../gen/spearlet/task_pb.js';

export const modeToWire: Record<DomainMode, ExecutionMode> = {
  sync: ExecutionMode.SYNC,
  async: ExecutionMode.ASYNC,
  stream: ExecutionMode.STREAM,
};

export const statusToWire: Record<DomainStatus, ExecutionStatus> = {
  pending: ExecutionStatus.PENDING,
  running: ExecutionStatus.RUNNING,
  completed: ExecutionStatus.COMPLETED,
  failed: ExecutionStatus.FAILED,
  cancelled: ExecutionStatus.CANCELLED,
  timedOut: ExecutionStatus.TIMED_OUT,
};

export const originToWire: Record<DomainOrigin, ErrorOrigin> = {
  user: ErrorOrigin.USER,
  policy: ErrorOrigin.POLICY,
  platform: ErrorOrigin.PLATFORM,
};

export const streamToWire: Record<DomainStream, OutputStream> = {
  stdout: OutputStream.STDOUT,
  stderr: OutputStream.STDERR,
};

export const runtimeToWire: Record<DomainRuntime, RuntimeKind> = {
  wasm: RuntimeKind.WASM,
  docker: RuntimeKind.DOCKER,
  process: RuntimeKind.PROCESS,
};

export const instanceStateToWire: Record<DomainState, InstanceState> = {
  starting: InstanceState.STARTING,
  idle: InstanceState.IDLE,
  busy: InstanceState.BUSY,
  stopping: InstanceState.STOPPING,
  stopped: InstanceState.STOPPED,
  broken: InstanceState.BROKEN,
};

const cacheUses: Record<DomainCacheUse['use'], CacheUse> = {
  miss: CacheUse.MISS,
  hit: CacheUse.HIT,
  shared: CacheUse.SHARED,
  bypass: CacheUse.BYPASS,
};

export function cacheUseToWire(cache: DomainCacheUse | undefined): CacheUse {
  return cache === undefined ? CacheUse.UNSPECIFIED : cacheUses[cache.use];
}

/** Undefined for one that is not known, and for UNSPECIFIED. */
export function errorCodeFromWire(wire: ErrorCode): DomainErrorCode | undefined {
  for (const [code, each] of Object.entries(errorCodeToWire))
    if (each === wire) return code as DomainErrorCode;
  return undefined;
}

export const errorCodeToWire: Record<DomainErrorCode, ErrorCode> = {
  FUNCTION_ERROR: ErrorCode.FUNCTION_ERROR,
  FUNCTION_EXIT: ErrorCode.FUNCTION_EXIT,
  TRAP: ErrorCode.TRAP,
  SIGNALED: ErrorCode.SIGNALED,
  CANCELLED: ErrorCode.CANCELLED,
  QUEUE_TIMEOUT: ErrorCode.QUEUE_TIMEOUT,
  ATTEMPT_TIMEOUT: ErrorCode.ATTEMPT_TIMEOUT,
  TOTAL_TIMEOUT: ErrorCode.TOTAL_TIMEOUT,
  MEMORY_LIMIT: ErrorCode.MEMORY_LIMIT,
  CPU_LIMIT: ErrorCode.CPU_LIMIT,
  OUTPUT_LIMIT: ErrorCode.OUTPUT_LIMIT,
  RESULT_TOO_LARGE: ErrorCode.RESULT_TOO_LARGE,
  DEPENDENCY_FAILED: ErrorCode.DEPENDENCY_FAILED,
  INTERRUPTED: ErrorCode.INTERRUPTED,
  RUNTIME_UNAVAILABLE: ErrorCode.RUNTIME_UNAVAILABLE,
  START_FAILED: ErrorCode.START_FAILED,
  ARTIFACT_UNAVAILABLE: ErrorCode.ARTIFACT_UNAVAILABLE,
  INSTANCE_LOST: ErrorCode.INSTANCE_LOST,
  KILL_UNCONFIRMED: ErrorCode.KILL_UNCONFIRMED,
  SNAPSHOT_INCOMPATIBLE: ErrorCode.SNAPSHOT_INCOMPATIBLE,
  MOVED: ErrorCode.MOVED,
  INTERNAL: ErrorCode.INTERNAL,
};

/** The other direction of one of the tables above. UNSPECIFIED and numbers from elsewhere are not in it. */
function inverted<Word extends string>(table: Record<Word, number>): ReadonlyMap<number, Word> {
  return new Map(Object.entries<number>(table).map(([word, number]) => [number, word as Word]));
}

export const statusFromWire = inverted(statusToWire);

const statusNames = [...statusFromWire.keys()]
  .map((status) => `${ExecutionStatus[status]} (${status})`)
  .join(', ');

/** Throws invalid_argument that names the place. */
export function statusesFromWire(statuses: readonly ExecutionStatus[]): DomainStatus[] {
  return statuses.map((status, index) => {
    const known = statusFromWire.get(status);
    if (known !== undefined) return known;
    throw invalidArgument(`statuses[${index}]`, `${status} is not a status; allowed are ${statusNames}`);
  });
}
