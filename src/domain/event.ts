import type { ExecutionStatus } from './execution.ts';
import type { NetworkRefusal } from './network/refusal.ts';

export type OutputStream = 'stdout' | 'stderr';

/** What happened. A result carries nothing of its own: its content is the record, which no longer changes. */
export type EventBody =
  | {
      readonly kind: 'transition';
      /** Empty for the admission. */
      readonly from: string;
      readonly to: string;
      readonly eventType: string;
      /** An error code, BREAKPOINT where one holds it, or empty. */
      readonly reasonCode: string;
      /** JSON merge patch (RFC 7396) over the machine's context, at most 4 KiB of text. */
      readonly contextPatch: string;
      readonly chartVersion: number;
    }
  | { readonly kind: 'chunk'; readonly stream: OutputStream; readonly data: Uint8Array }
  /** The function wanted to go where its network list does not let it. */
  | ({ readonly kind: 'refusal' } & NetworkRefusal)
  | { readonly kind: 'result' };

/** One entry of an execution's log, numbered and not yet committed. */
export type NewEvent = EventBody & {
  /** From 1, without gap or repeat (invariant I3). */
  readonly sequence: number;
  /** Wall clock, milliseconds since the epoch; never running backwards within a log. */
  readonly time: number;
  readonly status: ExecutionStatus;
  readonly attempt: number;
  /** The principal that asked for it; absent for what the node did by itself. */
  readonly by?: string;
};

/** A committed entry. `position` is node-wide and increasing, and may skip. */
export type LogEvent = NewEvent & { readonly position: number };

/** A chunk's largest size in bytes. */
export const maxChunkBytes = 64 * 1024;
