/** Executions that other nodes of the cluster have: their readers, and what is asked of them. */

import type { Clock } from '../../domain/clock.ts';
import { notFound, RequestError } from '../../domain/errors.ts';
import { type ExecutionRecord, isTerminal } from '../../domain/execution.ts';
import type { Changed } from '../../domain/executions.ts';
import type { Explanation } from '../../domain/explanation.ts';
import { type LinkAction, LinkBroken, type Links, notHere, type PeerNode } from '../../domain/links.ts';
import type { LogCursor } from '../../domain/log.ts';
import type { Scope } from '../../domain/scope.ts';
import type { Store } from '../../stores/store.ts';
import { StoredCursor } from '../log/cursors.ts';
import { RoamingCursor, type RoamingOptions } from '../log/roaming-cursor.ts';

export interface ElsewhereHost {
  readonly store: Store;
  readonly links: Links;
  readonly clock: Pick<Clock, 'monotonic' | 'setTimer'>;
  /** Whether it is live here. */
  has(executionId: string): boolean;
  /** Live here, though others may have gone on with it by now; with what is durable as far as this node knows. */
  doubted(executionId: string): { readonly committed: ExecutionRecord | undefined } | undefined;
  /** A cursor on its live log, also of one that waits here. Rejects where there is none. */
  attachHere(executionId: string, purpose: 'observe' | 'glance'): Promise<LogCursor>;
  /**
   * Does something here to one that waits for a node; undefined where another node was first, or it waits for none.
   */
  claiming<Result>(executionId: string, work: () => Promise<Result>): Promise<Result | undefined>;
  /** Why one waits that nobody owns; undefined where nobody gives away what waits, or it does not wait any more. */
  explainUnowned(executionId: string, scope: Scope): Promise<Explanation | undefined>;
  /** The creator of one that this node has went away. */
  leftHere(executionId: string): Promise<Changed>;
  /** The node goes away, and its readers with it. */
  readonly leaving: boolean;
}

/** How long a node that is gone may have its executions before another one takes them up, and a little more. */
const heirMs = 10_000;
const againMs = 250;

export class Elsewhere {
  readonly #host: ElsewhereHost;

  constructor(host: ElsewhereHost) {
    this.#host = host;
  }

  /** See Executions.attach. */
  async attach(executionId: string, purpose: 'observe' | 'glance'): Promise<LogCursor> {
    const { store } = this.#host;
    if (this.#host.has(executionId)) {
      const newer = purpose === 'glance' ? await this.#newerThanHere(executionId) : undefined;
      if (newer !== undefined) return new StoredCursor(store, newer);
      return this.roaming(await this.#host.attachHere(executionId, purpose), {
        observes: purpose === 'observe',
      });
    }
    const record = await store.execution(executionId);
    if (record === undefined) throw notFound('execution', executionId);
    // A glance is at what is durable, and that is in the store.
    if (isTerminal(record.status) || purpose === 'glance') return new StoredCursor(store, record);
    return this.roaming(record);
  }

  /** As others have left it in the store; undefined where what is here is the newest that can be read. */
  async #newerThanHere(executionId: string): Promise<ExecutionRecord | undefined> {
    const doubted = this.#host.doubted(executionId);
    if (doubted === undefined) return undefined;
    const stored = await this.#host.store.execution(executionId).catch(() => undefined);
    return stored !== undefined && stored.lastSequence > (doubted.committed?.lastSequence ?? 0)
      ? stored
      : undefined;
  }

  /** Whether this node has it, live or waiting. Rejects with StoreError. */
  async isHere(executionId: string): Promise<boolean> {
    if (this.#host.has(executionId)) return true;
    return (await this.#host.links.whereabouts(executionId)).at === 'here';
  }

  /** Rejects with failed_precondition, for another node, which looks then who has it. */
  async assertHere(executionId: string): Promise<void> {
    if (await this.isHere(executionId)) return;
    const record = await this.#host.store.execution(executionId);
    if (record !== undefined && isTerminal(record.status)) return;
    throw new RequestError('failed_precondition', 'this node does not have the execution', {
      reason: notHere,
    });
  }

  /** See Executions. */
  async nodeOf({ executionId, status }: ExecutionRecord): Promise<string> {
    const { links } = this.#host;
    if (isTerminal(status)) return '';
    if (this.#host.has(executionId)) return links.name;
    const found = await links.whereabouts(executionId);
    if (found.at === 'nobody') return '';
    return found.at === 'here' ? links.name : found.peer.name;
  }

  /** A reader that follows it to whoever has it. */
  roaming(start: LogCursor | ExecutionRecord, options: RoamingOptions = {}): LogCursor {
    const host = this.#host;
    const observes = options.observes !== false;
    return new RoamingCursor(
      {
        store: host.store,
        links: host.links,
        clock: host.clock,
        here: (id) => host.attachHere(id, observes ? 'observe' : 'glance'),
        get leaving() {
          return host.leaving;
        },
      },
      start,
      options,
    );
  }

  deliver(
    executionId: string,
    action: LinkAction,
    by: string | undefined,
    here: () => Promise<Changed>,
  ): Promise<Changed> {
    const there = (peer: PeerNode) => this.#host.links.deliver(peer, executionId, action, by);
    return this.#ask(executionId, here, there, () => this.#host.claiming(executionId, here));
  }

  explain(executionId: string, scope: Scope, here: () => Promise<Explanation>): Promise<Explanation> {
    const there = (peer: PeerNode) => this.#host.links.explain(peer, executionId, scope);
    return this.#ask(executionId, here, there, () => this.#host.explainUnowned(executionId, scope));
  }

  /** Its creator, who watched from here, went away. */
  left(executionId: string): void {
    const here = () => this.#host.leftHere(executionId);
    // Nobody is there any more to hear that it did not work.
    this.deliver(executionId, { kind: 'leave' }, undefined, here).catch(() => {});
  }

  /** Asks whoever has the execution, also where that changes meanwhile. */
  async #ask<Answer>(
    executionId: string,
    here: () => Promise<Answer>,
    there: (peer: PeerNode) => Promise<Answer>,
    unowned: () => Promise<Answer | undefined>,
  ): Promise<Answer> {
    const { store, links, clock } = this.#host;
    const until = clock.monotonic() + heirMs;
    for (;;) {
      if (this.#host.has(executionId)) return here();
      const record = await store.execution(executionId);
      if (record === undefined || isTerminal(record.status)) return here();
      const found = await links.whereabouts(executionId);
      if (found.at === 'here') return here();
      if (found.at === 'nobody') {
        const answer = await unowned();
        if (answer !== undefined) return answer;
      }
      let broken: LinkBroken | undefined;
      if (found.at === 'peer') {
        try {
          return await there(found.peer);
        } catch (error) {
          if (!(error instanceof LinkBroken)) throw error;
          broken = error;
        }
      }
      if (clock.monotonic() > until || this.#host.leaving) throw unreachable(record, broken);
      await new Promise<void>((resolve) => void clock.setTimer(againMs, resolve));
    }
  }
}

function unreachable({ executionId }: ExecutionRecord, cause: LinkBroken | undefined): RequestError {
  return new RequestError(
    'unavailable',
    `${executionId} is on another node, which does not answer; it is taken up by others where that is gone: try again`,
    { reason: 'NODE_UNREACHABLE', retryAfterMs: 1000, metadata: { execution_id: executionId }, cause },
  );
}
