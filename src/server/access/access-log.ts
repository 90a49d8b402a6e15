/**
 * The calls that an operator wants to read of: those that were refused, and those that were slow. Nothing is done for
 * a call that is neither but to look at the clock, and not even that for those that wait for executions.
 */
import type { Principal } from '../../domain/access.ts';
import type { Clock } from '../../domain/clock.ts';
import type { RequestError } from '../../domain/errors.ts';
import { BoundedLines } from './bounded-lines.ts';
import { networkOf } from './network-of.ts';

/** What an entry has beside its message; fields of what is not known are absent. */
interface Entry {
  readonly method: string;
  readonly principal?: string;
  readonly tenant?: string;
  readonly address?: string;
  /** Since the line before that was like it. */
  readonly times: number;
}

export interface RefusedEntry extends Entry {
  readonly code: string;
  readonly reason: string;
}

export interface SlowEntry extends Entry {
  readonly ms: number;
}

export interface AccessLogWriter {
  /** Nobody reads what is told otherwise. */
  isOn(): boolean;
  refused(entry: RefusedEntry): void;
  slow(entry: SlowEntry): void;
}

/** Their answers are when executions are as far as the caller wants. */
const waiting: ReadonlySet<string> = new Set([
  'FunctionService/InvokeFunction',
  'FunctionService/WaitExecution',
]);

/** Callers choose paths, too. */
const longestMethod = 100;

export class AccessLog {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #writer: AccessLogWriter;
  readonly #slowMs: number;
  readonly #refusals: BoundedLines;
  readonly #slow: BoundedLines;
  /** Who made a request, or caused an error. */
  readonly #principals = new WeakMap<object, Principal>();

  /** `slowMs` is 0 where no call is slow. */
  constructor(clock: Pick<Clock, 'monotonic'>, writer: AccessLogWriter, slowMs: number) {
    this.#clock = clock;
    this.#writer = writer;
    this.#slowMs = slowMs;
    this.#refusals = new BoundedLines(clock);
    this.#slow = new BoundedLines(clock);
  }

  /** Whether `within` has something to look at. */
  times(path: string): boolean {
    return this.#slowMs > 0 && !waiting.has(methodIn(path));
  }

  /** `cause` is an error, or a request of HTTP, of which no more than itself will be known. */
  madeBy(cause: unknown, principal: Principal): void {
    if (typeof cause === 'object' && cause !== null) this.#principals.set(cause, principal);
  }

  refused(
    path: string,
    { kind, reason }: RequestError,
    from: { readonly address?: string; readonly causes: readonly unknown[] },
  ): void {
    // What is a bug of ours has a line of its own.
    if (kind === 'internal' || !this.#writer.isOn()) return;
    const { address = '' } = from;
    this.#refusals.tell(`${networkOf(address)} ${reason}`, (times) => {
      const principal = from.causes
        .map((cause) => this.#principalOf(cause))
        .find((each) => each !== undefined);
      const code = kind.toUpperCase();
      this.#writer.refused({ ...head(path, principal, address), code, reason, times });
    });
  }

  /** Runs `answer`, and tells of it where it takes long. */
  async within<Answer>(
    call: { readonly path: string; readonly principal: Principal; readonly address: string },
    answer: () => Promise<Answer>,
  ): Promise<Answer> {
    const began = this.#clock.monotonic();
    try {
      return await answer();
    } finally {
      const ms = this.#clock.monotonic() - began;
      if (ms > this.#slowMs && this.#writer.isOn()) this.#tellSlow(call, ms);
    }
  }

  #tellSlow(
    {
      path,
      principal,
      address,
    }: { readonly path: string; readonly principal: Principal; readonly address: string },
    ms: number,
  ): void {
    this.#slow.tell(methodIn(path), (times) =>
      this.#writer.slow({ ...head(path, principal, address), ms: Math.round(ms), times }),
    );
  }

  #principalOf(cause: unknown): Principal | undefined {
    return typeof cause === 'object' && cause !== null ? this.#principals.get(cause) : undefined;
  }
}

function head(path: string, principal: Principal | undefined, address: string): Omit<Entry, 'times'> {
  return {
    method: methodIn(path),
    ...(principal !== undefined && { principal: principal.name }),
    ...(principal?.tenant !== undefined && { tenant: principal.tenant }),
    ...(address !== '' && { address }),
  };
}

/** `FunctionService/InvokeFunction` of gRPC's path and of that of `/api/`; other paths of HTTP as they are. */
function methodIn(path: string): string {
  return path
    .replace(/^\/(api\/)?(?=[\w.]+Service\/)/, '')
    .replace(/^spearlet\./, '')
    .slice(0, longestMethod);
}
