const maxWords = 300;

interface EngineErrorOptions extends ErrorOptions {
  /** Of the engine's answer; absent where it did not answer. */
  readonly status?: number;
}

/** A call that the engine refused, or did not answer. The message is the engine's words, bounded. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly status: number | undefined;

  constructor(words: string, options: EngineErrorOptions = {}) {
    super(bounded(words), options);
    this.status = options.status;
  }

  /** It, or a proxy before it, cannot answer now. */
  get unavailable(): boolean {
    return this.status === 502 || this.status === 503 || this.status === 504;
  }

  /** Nothing is known about what became of the call. */
  get unreachable(): boolean {
    return this.status === undefined;
  }
}

/** Any failure of a call as an EngineError; dockerode puts the answer into properties of a plain Error. */
export function asEngineError(cause: unknown): EngineError {
  if (cause instanceof EngineError) return cause;
  if (!(cause instanceof Error)) return new EngineError(String(cause), { cause });
  const status = 'statusCode' in cause && typeof cause.statusCode === 'number' ? cause.statusCode : undefined;
  if (status === undefined) return new EngineError(cause.message, { cause });
  const words = 'json' in cause ? wordsOf(cause.json) : undefined;
  return new EngineError(words ?? cause.message, { status, cause });
}

/** The words in a body of the engine, if it is one that explains an error. */
export function wordsOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('message' in body)) return undefined;
  return typeof body.message === 'string' ? body.message : undefined;
}

/** Someone else's text for a message of ours: one line, bounded. */
export function bounded(words: string): string {
  // Control characters would let a registry or an image draw on the terminal of who reads the message.
  const line = words
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .toWellFormed();
  return line.length > maxWords ? `${line.slice(0, maxWords)}…`.toWellFormed() : line;
}
