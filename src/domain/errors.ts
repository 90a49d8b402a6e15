/** Who can do something about an error: the function's author, the caller's policy, or the platform. */
export type ErrorOrigin = 'user' | 'policy' | 'platform';

interface ErrorCodeEntry {
  readonly origin: ErrorOrigin;
  /** Retried by a policy that names no codes of its own. */
  readonly retryable: boolean;
}

/** The closed list of codes that an execution can end with. `docs/errors.md` says what each means. */
export const errorCodes = {
  FUNCTION_ERROR: { origin: 'user', retryable: true },
  FUNCTION_EXIT: { origin: 'user', retryable: true },
  TRAP: { origin: 'user', retryable: true },
  SIGNALED: { origin: 'user', retryable: true },
  CANCELLED: { origin: 'policy', retryable: false },
  QUEUE_TIMEOUT: { origin: 'policy', retryable: false },
  ATTEMPT_TIMEOUT: { origin: 'policy', retryable: true },
  TOTAL_TIMEOUT: { origin: 'policy', retryable: false },
  MEMORY_LIMIT: { origin: 'policy', retryable: false },
  CPU_LIMIT: { origin: 'policy', retryable: false },
  OUTPUT_LIMIT: { origin: 'policy', retryable: false },
  RESULT_TOO_LARGE: { origin: 'policy', retryable: false },
  DEPENDENCY_FAILED: { origin: 'policy', retryable: false },
  INTERRUPTED: { origin: 'platform', retryable: false },
  RUNTIME_UNAVAILABLE: { origin: 'platform', retryable: true },
  START_FAILED: { origin: 'platform', retryable: true },
  ARTIFACT_UNAVAILABLE: { origin: 'platform', retryable: false },
  INSTANCE_LOST: { origin: 'platform', retryable: true },
  KILL_UNCONFIRMED: { origin: 'platform', retryable: false },
  SNAPSHOT_INCOMPATIBLE: { origin: 'platform', retryable: false },
  MOVED: { origin: 'platform', retryable: false },
  INTERNAL: { origin: 'platform', retryable: false },
} as const satisfies Record<string, ErrorCodeEntry>;

export type ErrorCode = keyof typeof errorCodes;

export function originOf(code: ErrorCode): ErrorOrigin {
  return errorCodes[code].origin;
}

export interface FieldViolation {
  /** The field's path in the request, in snake_case: `definition.limits.memory`. */
  readonly field: string;
  /** What was wrong and what is allowed. */
  readonly description: string;
}

/** Why a request never became an execution, or could not be answered. One kind for each gRPC status that Spear sends. */
export type RequestErrorKind =
  | 'invalid_argument'
  | 'not_found'
  | 'already_exists'
  | 'resource_exhausted'
  | 'failed_precondition'
  | 'out_of_range'
  | 'aborted'
  | 'unimplemented'
  | 'permission_denied'
  | 'unauthenticated'
  | 'unavailable'
  | 'deadline_exceeded'
  | 'cancelled'
  | 'internal';

interface RequestErrorOptions {
  /** Machine-readable, UPPER_SNAKE_CASE; goes to the caller as ErrorInfo.reason. */
  readonly reason: string;
  readonly violations?: readonly FieldViolation[];
  readonly metadata?: Readonly<Record<string, string>>;
  readonly retryAfterMs?: number;
  /** What the caller ran out of, for resource_exhausted. */
  readonly quota?: string;
  /** Ours; never leaves the node. */
  readonly cause?: unknown;
}

/** The one error that crosses layers on its way to a caller. Its message is written for that caller. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly kind: RequestErrorKind;
  readonly reason: string;
  readonly violations: readonly FieldViolation[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly retryAfterMs: number | undefined;
  readonly quota: string | undefined;

  constructor(kind: RequestErrorKind, message: string, options: RequestErrorOptions) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.reason = options.reason;
    this.violations = options.violations ?? [];
    this.metadata = options.metadata ?? {};
    this.retryAfterMs = options.retryAfterMs;
    this.quota = options.quota;
  }
}

/** A request whose field has a value that is not allowed. */
export function invalidArgument(field: string, description: string): RequestError {
  return new RequestError('invalid_argument', `${field}: ${description}`, {
    reason: 'INVALID_FIELD',
    violations: [{ field, description }],
  });
}

/** The same error, whose fields are within `at`: `input` becomes `members[3].invocation.input`. */
export function errorWithin(at: string, error: RequestError): RequestError {
  const within = (field: string): string => (field === '' ? at : `${at}.${field}`);
  const { violations } = error;
  const isOfField = violations.some(({ field }) => error.message.startsWith(`${field}:`));
  const message = isOfField ? within(error.message).replace(`${at}.:`, `${at}:`) : `${at}: ${error.message}`;
  return new RequestError(error.kind, message, {
    reason: error.reason,
    metadata: error.metadata,
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
    ...(error.quota !== undefined && { quota: error.quota }),
    cause: error,
    ...(violations.length > 0 && {
      violations: violations.map((each) => ({ ...each, field: within(each.field) })),
    }),
  });
}

/** What `read` returns; what it throws of a field is of that within `at`. */
export function fieldsWithin<Result>(at: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw error instanceof RequestError && error.violations.length > 0 ? errorWithin(at, error) : error;
  }
}

/** `guess` is the one that may have been meant. */
export function notFound(
  what: 'task' | 'execution' | 'function' | 'schedule' | 'node',
  id: string,
  guess?: string,
): RequestError {
  const hint = guess === undefined ? '' : `; did you mean ${quote(guess)}?`;
  return new RequestError('not_found', `no ${what} ${quote(id)}${hint}`, {
    reason: `${what.toUpperCase()}_NOT_FOUND`,
    metadata: { [what]: id },
  });
}

/** A caller's text in a message of ours: bounded, and with control characters made visible. */
export function quote(text: string): string {
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return JSON.stringify(shown.toWellFormed());
}
