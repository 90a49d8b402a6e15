/** Nodes of a cluster, and what one asks of another for its own callers. */
import type { NodeOrder } from './cluster.ts';
import type { LogEvent } from './event.ts';
import type { ExecutionRecord } from './execution.ts';
import type { Changed } from './executions.ts';
import type { Explanation } from './explanation.ts';
import type { LogCursor } from './log.ts';
import type { NodeQueue } from './queue-view.ts';
import type { Scope } from './scope.ts';

/** A node of the cluster as others reach it. */
export interface PeerNode {
  /** Of this run of it; never used again. */
  readonly incarnation: number;
  readonly nodeId: string;
  readonly name: string;
  /** HOST:PORT of its link; empty where it has none. */
  readonly address: string;
}

/** Who has an execution that has not ended, and may write of it. */
export type Whereabouts =
  | { readonly at: 'here' }
  | { readonly at: 'peer'; readonly peer: PeerNode }
  /** Who had it is gone, or has given it away; another node takes it up. */
  | { readonly at: 'nobody' };

/** What became durable of an execution elsewhere. */
export interface FollowedPart {
  /** As it is with these events; absent where they change nothing of it but its counts. */
  readonly record?: ExecutionRecord;
  /** In order, without a gap to those of the part before. */
  readonly events: readonly LogEvent[];
}

export interface FollowWish {
  readonly executionId: string;
  /** From this event on; 0 for no events: only the record, at once and at the end. */
  readonly from: number;
  /** Who follows counts as an observer. */
  readonly observes: boolean;
}

/** What a node may ask another one to do with an execution that it has. */
export type LinkAction =
  | { readonly kind: 'cancel'; readonly reason: string }
  | { readonly kind: 'suspend' | 'resume' | 'detach' }
  /** Its creator went away: it is cancelled unless somebody observes it. */
  | { readonly kind: 'leave' };

/**
 * The ways to the other nodes. All but `whereabouts` reject with what the other node refuses as a RequestError, and with
 * LinkBroken where it cannot be reached, breaks off, or does not have the execution any more.
 */
export interface Links {
  /** Of this node among the others. */
  readonly name: string;
  /** Rejects with StoreError. */
  whereabouts(executionId: string): Promise<Whereabouts>;
  /** Ends with the end of the log. */
  follow(peer: PeerNode, wish: FollowWish, signal: AbortSignal): AsyncIterable<FollowedPart>;
  deliver(peer: PeerNode, executionId: string, action: LinkAction, by?: string): Promise<Changed>;
  explain(peer: PeerNode, executionId: string, scope: Scope): Promise<Explanation>;
  queue(peer: PeerNode, scope: Scope, mostLines: number): Promise<NodeQueue>;
  /** Whether it answers within so many milliseconds. Never rejects. */
  answers(peer: PeerNode, withinMs: number): Promise<boolean>;
  /** What an administrator asks of that node; resolves with whether it changed something. */
  order(peer: PeerNode, order: NodeOrder, by: string, heir?: number): Promise<boolean>;
}

/** What other nodes ask of the executions that this one has. Each rejects with a RequestError, `notHere`, for any other. */
export interface LinkedExecutions {
  attach(executionId: string, observes: boolean): Promise<LogCursor>;
  deliver(executionId: string, action: LinkAction, by?: string): Promise<Changed>;
  explain(executionId: string, scope: Scope): Promise<Explanation>;
  /** Throws permission_denied, as QueueViews does. */
  queue(scope: Scope, mostLines: number): NodeQueue;
}

/** The reason of a refusal that says so; no caller hears it. */
export const notHere = 'NOT_HERE';

/** The other node did not answer, or does not have the execution any more: where it is has to be looked up again. */
export class LinkBroken extends Error {
  override readonly name = 'LinkBroken';
}
