import { OutputStream, type StreamExecutionResult } from '../server/gen/spearlet/function_pb.js';
import { dateOf, ExecutionResult } from './execution-result.ts';
import { type StatusName, statusName } from './wire-names.ts';

interface EventHead {
  readonly executionId: string;
  /** 1, 2, 3 … without gap or repeat. */
  readonly sequence: number;
  readonly time: Date | undefined;
  readonly status: StatusName;
  /** 0 before the first attempt. */
  readonly attempt: number;
  /** Who asked for it, such as `token ci`; empty for what the node did by itself. */
  readonly principal: string;
}

/** A change of state; `from` is empty for the admission. */
export interface TransitionEvent extends EventHead {
  readonly kind: 'transition';
  readonly from: string;
  readonly to: string;
  readonly eventType: string;
  /** The error code that caused it, or empty. */
  readonly reasonCode: string;
}

/** 1 byte to 64 KiB that the function wrote. */
export interface ChunkEvent extends EventHead {
  readonly kind: 'chunk';
  readonly stream: 'stdout' | 'stderr';
  readonly data: Uint8Array;
}

/** The function wanted to go where its task's network list does not let it. */
export interface RefusalEvent extends EventHead {
  readonly kind: 'refusal';
  readonly host: string;
  readonly port: number;
  readonly address: string;
  readonly rule: string;
}

/** The last one. */
export interface ResultEvent extends EventHead {
  readonly kind: 'result';
  readonly result: ExecutionResult;
}

/** One of a kind that this client does not know yet. */
export interface UnknownEvent extends EventHead {
  readonly kind: 'unknown';
}

export type ExecutionEvent = TransitionEvent | ChunkEvent | RefusalEvent | ResultEvent | UnknownEvent;

/** @internal */
export function eventOf(message: StreamExecutionResult): ExecutionEvent {
  const { executionId, attempt, principal, event } = message;
  const head = {
    executionId,
    sequence: Number(message.sequence),
    time: dateOf(message.time),
    status: statusName(message.status),
    attempt,
    principal,
  };
  switch (event.case) {
    case 'transition': {
      const { from, to, eventType, reasonCode } = event.value;
      return { ...head, kind: 'transition', from, to, eventType, reasonCode };
    }
    case 'chunk': {
      const { stream, data } = event.value;
      return { ...head, kind: 'chunk', stream: stream === OutputStream.STDERR ? 'stderr' : 'stdout', data };
    }
    case 'refusal': {
      const { host, port, address, rule } = event.value;
      return { ...head, kind: 'refusal', host, port, address, rule };
    }
    case 'result':
      return { ...head, kind: 'result', result: new ExecutionResult(event.value) };
    default:
      return { ...head, kind: 'unknown' };
  }
}
