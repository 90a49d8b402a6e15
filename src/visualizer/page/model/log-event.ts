/** One event of an execution's log: the model of `StreamExecutionResult`. */
import { refusalFrom, refusalText } from '../../../domain/network/refusal.ts';
import type { Json, StreamExecutionResultJson } from '../wire.ts';
import { type ExecutionRow, rowOf } from './execution-row.ts';
import { bytesOf, instantOf, numberOf } from './scalar.ts';
import { type Status, statusOf } from './status.ts';

export interface Transition {
  /** Empty for the admission. */
  readonly from: string;
  readonly to: string;
  readonly eventType: string;
  /** The error code that caused it, or empty. */
  readonly reasonCode: string;
  /** What changed in the machine's context, as a JSON merge patch; as text, for it is rarely looked at. */
  readonly contextPatch: string;
  readonly chartVersion: number;
}

export interface Chunk {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Uint8Array;
}

interface LogEventHead {
  readonly sequence: number;
  readonly position: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly status: Status;
  /** 0 before the first attempt. */
  readonly attempt: number;
  /** Who asked for it; absent for what the node did by itself. */
  readonly principal?: string;
}

export interface TransitionEvent extends LogEventHead {
  readonly kind: 'transition';
  readonly transition: Transition;
}

export interface ChunkEvent extends LogEventHead {
  readonly kind: 'chunk';
  readonly chunk: Chunk;
}

export interface ResultEvent extends LogEventHead {
  readonly kind: 'result';
  readonly result: ExecutionRow;
}

export interface RefusalEvent extends LogEventHead {
  readonly kind: 'refusal';
  /** In words, as the command line says it. */
  readonly text: string;
}

export type LogEvent = TransitionEvent | ChunkEvent | ResultEvent | RefusalEvent;

/** Nothing where the event is of a kind that this page does not know. */
export function eventOf(json: StreamExecutionResultJson): LogEvent | undefined {
  const head = {
    sequence: numberOf(json.sequence),
    position: numberOf(json.position),
    time: instantOf(json.time) ?? 0,
    status: statusOf(json.status),
    attempt: json.attempt,
    ...(json.principal && { principal: json.principal }),
  };
  if (json.transition) return { ...head, kind: 'transition', transition: json.transition };
  if (json.chunk) {
    const stream = json.chunk.stream === 'OUTPUT_STREAM_STDERR' ? 'stderr' : 'stdout';
    return { ...head, kind: 'chunk', chunk: { stream, data: bytesOf(json.chunk.data) } };
  }
  if (json.refusal) return { ...head, kind: 'refusal', text: refusalWords(json.refusal) };
  if (json.result) return { ...head, kind: 'result', result: rowOf(json.result) };
  return undefined;
}

/** A rule that this page does not know is said as it is. */
export function refusalWords(told: {
  readonly host?: string;
  readonly port?: number;
  readonly address?: string;
  readonly rule?: string;
  readonly more?: string | number;
}): string {
  const { host = '', port = 0, address = '', rule = '', more = 0 } = told;
  const refusal = refusalFrom({ host, port, address, rule, more: Number(more) });
  return refusal === undefined ? `${host} refused: ${rule}` : refusalText(refusal);
}

/** The context patch of a transition; an unreadable one changes nothing. */
export function patchOf(transition: Transition): Json {
  if (transition.contextPatch === '') return {};
  try {
    return JSON.parse(transition.contextPatch) as Json;
  } catch {
    return {};
  }
}
