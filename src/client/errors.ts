/** What a call of the client fails with. */
import { type ServiceError, status } from '@grpc/grpc-js';
import { RequestError } from '../domain/errors.ts';
import type { ExecutionResult } from './execution-result.ts';
import { type FieldViolation, isServiceError, readDetails } from './rpc-details.ts';
import type { ErrorCodeName, ErrorOriginName } from './wire-names.ts';

/** The name of a gRPC status. */
export type RpcCode =
  | 'CANCELLED'
  | 'UNKNOWN'
  | 'INVALID_ARGUMENT'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'OUT_OF_RANGE'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'DATA_LOSS'
  | 'UNAUTHENTICATED';

export interface SpearErrorFacts {
  readonly code: RpcCode;
  readonly reason?: string;
  readonly violations?: readonly FieldViolation[];
  readonly metadata?: Readonly<Record<string, string>>;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/** A request was refused, or could not be answered: it never became an execution, or the server stayed away. */
export class SpearError extends Error {
  override readonly name = 'SpearError';
  readonly code: RpcCode;
  /** Of the table of docs/errors.md, such as `TASK_NOT_FOUND`; empty where the answer is not Spear's. */
  readonly reason: string;
  /** Each field that is not allowed as it is. */
  readonly violations: readonly FieldViolation[];
  /** What the reason is about, such as `task` or `execution_id`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** When it is worth another try, in milliseconds from the answer; absent where something has to change first. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, facts: SpearErrorFacts) {
    super(message, { cause: facts.cause });
    this.code = facts.code;
    this.reason = facts.reason ?? '';
    this.violations = facts.violations ?? [];
    this.metadata = facts.metadata ?? {};
    this.retryAfterMs = facts.retryAfterMs;
  }
}

/** An execution ended otherwise than completed. */
export class ExecutionFailed extends Error {
  override readonly name = 'ExecutionFailed';
  /** Of the table of docs/errors.md, such as `FUNCTION_EXIT`. */
  readonly code: ErrorCodeName;
  /** Who can do something about it: the function, a limit or the node. */
  readonly origin: ErrorOriginName;
  readonly executionId: string;
  readonly result: ExecutionResult;

  constructor(result: ExecutionResult) {
    const { executionId, status: ending, errorCode, errorMessage } = result;
    const what = errorCode === undefined ? '' : ` (${errorCode})`;
    super(`${executionId} ${ending}${what}${errorMessage === '' ? '' : `: ${errorMessage}`}`);
    this.code = errorCode ?? 'INTERNAL';
    this.origin = result.errorOrigin ?? 'PLATFORM';
    this.executionId = executionId;
    this.result = result;
  }

  /** What it wrote to standard output; of a typed function, the error side of its result as JSON. */
  get output(): Uint8Array {
    return this.result.output;
  }

  /** What it wrote to standard error. */
  get errorOutput(): Uint8Array {
    return this.result.errorOutput;
  }
}

/** The error that a caller of the client gets for one from below; `signal` is the caller's own. */
export function errorFor(error: unknown, signal?: AbortSignal): unknown {
  if (signal?.aborted === true) return signal.reason;
  if (isServiceError(error)) return refusal(error);
  if (!(error instanceof RequestError)) return error;
  const { message, reason, violations } = error;
  return new SpearError(message, { code: 'INVALID_ARGUMENT', reason, violations, cause: error });
}

function refusal(error: ServiceError): SpearError {
  const { reason = '', ...details } = readDetails(error);
  const code = codeOf(error.code);
  return new SpearError(error.details || code, { ...details, code, reason, cause: error });
}

/** The status of an error is never OK. */
function codeOf(code: status): RpcCode {
  const name = status[code] as Exclude<keyof typeof status, 'OK'> | undefined;
  return name ?? 'UNKNOWN';
}
