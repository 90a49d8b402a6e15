/**
 * The trace that an execution belongs to, by W3C Trace Context (https://www.w3.org/TR/trace-context/), and the ids of
 * its spans. They are made of its own id, so that whoever makes them again, after a crash, makes the same ones.
 */

/** What a caller says of its trace. */
export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits: of the caller's span. */
  readonly parentId: string;
  readonly sampled: boolean;
  /** What other systems keep in `tracestate`; absent means nothing. */
  readonly state?: string;
}

/** The trace of an execution, as it was at admission. */
export interface ExecutionTrace extends Omit<TraceContext, 'parentId'> {
  /** Of the caller's span; absent where the trace begins with the execution. */
  readonly parentId?: string;
  /** The node makes spans of the execution. */
  readonly spans?: boolean;
}

/** Decides which executions have a trace. */
export interface TraceSampling {
  /** `context` is what the caller says; undefined where it says nothing. */
  traceFor(context: TraceContext | undefined): ExecutionTrace | undefined;
}

/** What is kept of `tracestate`, in characters: as many as the W3C says has to be passed on. */
export const mostTraceState = 512;
/** Longer entries go first where that is too little, as it says, too. */
const longEntry = 128;
const mostEntries = 32;

const parentPattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const entryPattern =
  /^[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** Undefined for a `traceparent` that is missing or no good: the W3C wants it ignored, and `tracestate` with it. */
export function traceContext(
  traceparent: string | undefined,
  tracestate: string | undefined,
): TraceContext | undefined {
  if (traceparent === undefined) return undefined;
  const [, version, traceId = '', parentId = '', flags = '', more] = parentPattern.exec(traceparent) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return undefined;
  const state = tracestate === undefined ? '' : traceState(tracestate);
  const sampled = (Number.parseInt(flags, 16) & 1) === 1;
  return { traceId, parentId, sampled, ...(state !== '' && { state }) };
}

/** Empty for one that is not as it has to be. */
function traceState(text: string): string {
  let entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  if (entries.length > mostEntries || !entries.every((entry) => entryPattern.test(entry))) return '';
  const length = (): number => entries.join(',').length;
  if (length() > mostTraceState) entries = entries.filter((entry) => entry.length <= longEntry);
  while (length() > mostTraceState) entries.pop();
  return entries.join(',');
}

interface Traced {
  readonly executionId: string;
  readonly trace?: ExecutionTrace;
}

/** How a function hears of its trace: variables of an attempt's environment. Undefined where it is in none. */
export function traceVariables(
  { executionId, trace }: Traced,
  attempt: number,
): Readonly<Record<string, string>> | undefined {
  if (trace === undefined) return undefined;
  // Without spans of ours between them, the function's belong below the caller's.
  const parent = trace.spans === true ? attemptSpan(executionId, attempt) : trace.parentId;
  if (parent === undefined) return undefined;
  return {
    TRACEPARENT: `00-${trace.traceId}-${parent}-${trace.sampled ? '01' : '00'}`,
    ...(trace.state !== undefined && { TRACESTATE: trace.state }),
  };
}

export function executionSpan(executionId: string): string {
  return spanId(executionId);
}

export function attemptSpan(executionId: string, attempt: number): string {
  return spanId(`${executionId}/attempt/${attempt}`);
}

/** Of the wait that begins with the event of that number. */
export function queueSpan(executionId: string, sequence: number): string {
  return spanId(`${executionId}/queue/${sequence}`);
}

/** 64 bits as hex, never all zero: two multiplicative hashes of 32 bits with the last mixing of MurmurHash3. */
function spanId(text: string): string {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 0x9e3779b1);
    low = Math.imul(low ^ unit, 0x5f356495);
  }
  const [first, second] = [mixed(high ^ (low >>> 15)), mixed(low ^ (high >>> 13))];
  return hex(first) + hex(second === 0 ? 1 : second);
}

function mixed(value: number): number {
  const once = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return (twice ^ (twice >>> 16)) >>> 0;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
