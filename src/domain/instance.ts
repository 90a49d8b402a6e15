import type { RuntimeKind, WarmPolicy } from './task.ts';

export type InstanceState = 'starting' | 'idle' | 'busy' | 'stopping' | 'stopped' | 'broken';

/** What an instance is, whatever state it is in. */
export interface InstanceFacts {
  readonly instanceId: string;
  readonly runtime: RuntimeKind;
  /** The task it was started for; absent where it serves every task of its runtime. */
  readonly task?: { readonly taskId: string; readonly name: string; readonly revision: number };
  /** It was started before anyone needed it. */
  readonly startedAhead: boolean;
}

/** What happens to an instance. */
export type InstanceEvent =
  /** It can serve. */
  | { readonly type: 'ready' }
  /** It serves this attempt from now on. */
  | { readonly type: 'bind'; readonly executionId: string; readonly attempt: number }
  /** The attempt is over and it can serve another. */
  | { readonly type: 'release' }
  /** It is to end, or is ending by itself. */
  | { readonly type: 'stop'; readonly reason: string }
  /** Nothing is left of it. */
  | { readonly type: 'gone' }
  /** It cannot be confirmed gone. */
  | { readonly type: 'stuck'; readonly reason: string };

/** Where runtimes and pools report what happens to their instances. */
export interface InstanceReporter {
  /** A new instance, in `starting`. */
  open(facts: InstanceFacts): InstanceReport;
}

export interface InstanceReport {
  readonly state: InstanceState;
  send(event: InstanceEvent): void;
}

export interface InstanceView extends InstanceFacts {
  readonly state: InstanceState;
  /** What it serves now, or served last; empty and 0 before the first. */
  readonly executionId: string;
  readonly attempt: number;
  readonly uses: number;
  /** Why it stops or is broken; empty where it does not. */
  readonly reason: string;
  /** Wall clock, milliseconds since the epoch. */
  readonly createdAt: number;
  readonly stateSince: number;
}

export interface PoolView {
  readonly taskId: string;
  readonly taskName: string;
  readonly revision: number;
  readonly runtime: RuntimeKind;
  readonly policy: WarmPolicy;
  /** Executions that found a warm instance, and those that did not. */
  readonly warmHits: number;
  readonly coldStarts: number;
  /** Warm instances that ended, or wrote, before anyone used them. */
  readonly spoiled: number;
}

/** The instances of this node as they are now, stopped ones excepted. */
export interface Instances {
  /** Oldest first. */
  instances(): readonly InstanceView[];
  /** By task name. */
  pools(): readonly PoolView[];
}
