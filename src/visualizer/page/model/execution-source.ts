/**
 * What the view of one execution is made of, whether it comes live from a node or out of a file.
 *
 * The shell makes it; `execution/execution-view.tsx` shows it and knows of nothing else. Links to other executions are
 * plain `<a href={addressOf(…)}>`: the shell takes their clicks.
 */
import type { ReadonlySignal, Signal } from '@preact/signals';
import type { Delivery } from './delivery.ts';
import type { EventLog } from './event-log.ts';
import type { ExecutionRow } from './execution-row.ts';
import type { Explanation } from './explanation.ts';
import type { Invocation } from './invocation.ts';
import type { Machine } from './machine.ts';
import type { Relations } from './relation.ts';
import type { Signature } from './signature.ts';
import type { Task } from './task.ts';

/** A button of the view. The shell asks for confirmation, acts, and says what came of it. */
export interface ExecutionAction {
  readonly name: 'cancel' | 'suspend' | 'resume' | 'rerun' | 'breakpoint' | 'delete';
  readonly label: string;
  /** It cannot be undone. */
  readonly danger: boolean;
  /** Why it cannot be done now; empty where it can. */
  readonly refusal: string;
  run(): void;
}

/** Those that the reader may have. */
export interface Downloads {
  history(): void;
  snapshot?(): void;
}

export interface ExecutionSource {
  readonly id: string;
  /** False for a file: nothing more will come, and nothing can be asked of a node. */
  readonly live: boolean;
  /** The name of the file that is shown; absent where it is live. */
  readonly fileName?: string;
  /** Of a snapshot document. */
  readonly signature?: Signature;
  /** What its log ended with, or while it goes on what the list says: the log is told no later. */
  readonly record: ReadonlySignal<ExecutionRow | undefined>;
  readonly events: EventLog;
  readonly machines: readonly Machine[];
  /** Why the log cannot be read or followed, for people; empty where all is well. */
  readonly fault: ReadonlySignal<string>;
  /** The node has it no more: what was read of it stays, and there is nothing to ask for. */
  readonly gone: ReadonlySignal<boolean>;
  /** The node is not connected: what is shown was heard last, and nothing can be asked for now. Never of a file. */
  readonly away: ReadonlySignal<boolean>;
  /** The sequence number that the reader travelled to; absent at the live end. The address bar keeps it. */
  readonly at: Signal<number | undefined>;
  /** Those that the reader may. */
  readonly actions: ReadonlySignal<readonly ExecutionAction[]>;
  /** Each call asks anew. */
  explanation?(): Promise<Explanation>;
  /** What it follows and what follows it, as they are now. */
  relations?(): Promise<Relations>;
  invocation?(): Promise<Invocation>;
  /** Who was told of its end, and what came of it. Each call asks anew. */
  deliveries?(): Promise<readonly Delivery[]>;
  /** Tells one of them again; nothing where the reader may not, or nothing can be asked for now. */
  readonly redrive?: ReadonlySignal<((deliveryId: string) => Promise<void>) | undefined>;
  /** The task as it is registered now; nothing where it is gone. */
  task?(): Promise<Task | undefined>;
  /** What hands the files to the browser, unless it is gone. The shell says what came of it. */
  readonly downloads?: ReadonlySignal<Downloads>;
  /** Gives up what it holds. */
  close(): void;
}
