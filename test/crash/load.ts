/** What clients do to a server in one round: everything at once, in all modes. */
import { setTimeout as pause } from 'node:timers/promises';
import { ExecutionMode } from '../../src/server/gen/spearlet/function_pb.js';
import type { Client } from './client.ts';
import { following } from './following.ts';
import { type Plan, planLabel } from './history.ts';
import type { Drawn, Request } from './kinds.ts';
import type { Random } from './random.ts';
import type { Scribe } from './scribe.ts';

/** Draws what to ask for; the number is the plan's. */
export type Draw = (random: Random, number: number) => Drawn;

const modes = [ExecutionMode.SYNC, ExecutionMode.ASYNC, ExecutionMode.STREAM] as const;
/** How many calls there are in a round, and over how many milliseconds they spread. */
const calls = { least: 5, most: 9 };
const spreadMs = 150;
const longestThoughtMs = 200;
const maxWatches = 4;
/** The part of all calls that follow others, and from how many of the newest those are. */
const followShare = 0.25;
const followed = 12;

export class Load {
  readonly #scribe: Scribe;
  readonly #draw: Draw;
  /** Those that can be sent again. */
  readonly #repeatable: { readonly plan: Plan; readonly request: Request }[] = [];

  constructor(scribe: Scribe, draw: Draw) {
    this.#scribe = scribe;
    this.#draw = draw;
  }

  /** Resolves when every call has been answered or cut off. What has not begun when `over` is aborted does not. */
  async run(client: Client, random: Random, over: AbortSignal): Promise<void> {
    const actors = Array.from({ length: random.whole(calls.least, calls.most) }, () => random.fork());
    await Promise.all([
      this.#watchAgain(client, random.fork()),
      ...actors.map((own) => this.#act(client, own, over)),
    ]);
  }

  /** One more execution, watched from its start. `wrote` resolves when output of it was heard, or none will be. */
  watched(client: Client, random: Random, draw: Draw): { wrote: Promise<void>; ended: Promise<void> } {
    const { plan, request } = this.#plan(random, draw);
    const wrote = Promise.withResolvers<void>();
    const ended = client.invoke(plan, request, ExecutionMode.STREAM, (executionId) => {
      void this.#scribe.wrote(executionId).then(wrote.resolve);
    });
    void ended.then(wrote.resolve);
    return { wrote: wrote.promise, ended };
  }

  async #act(client: Client, random: Random, over: AbortSignal): Promise<void> {
    if (!(await thinks(random.whole(0, spreadMs), over))) return;
    const old = random.chance(0.15) && this.#repeatable.length > 0;
    const drawn: Draw = (own, number) => this.#maybeFollowing(own, this.#draw(own, number));
    const { plan, request } = old ? random.pick(this.#repeatable) : this.#plan(random, drawn);
    // Several callers at once, each in a mode of its own.
    const callers = plan.invocationId === '' ? 1 : random.whole(1, 3);
    await Promise.all(
      Array.from({ length: callers }, () => {
        const own = random.fork();
        const followed: Promise<void>[] = [];
        const heard = (executionId: string) => followed.push(this.#follow(client, executionId, own, over));
        return client.invoke(plan, request, own.pick(modes), heard).then(() => Promise.all(followed));
      }),
    );
  }

  #plan(random: Random, draw: Draw): { plan: Plan; request: Request } {
    const made = { request: {} as Request };
    const plan = this.#scribe.plan((number) => {
      const { request, terms } = draw(random, number);
      const invocationId = random.chance(0.4) ? `request-${number}` : '';
      made.request = {
        ...request,
        invocationId,
        task: terms.task,
        metadata: { [planLabel]: String(number) },
      };
      return { number, invocationId, terms };
    });
    const both = { plan, ...made };
    if (plan.invocationId !== '') this.#repeatable.push(both);
    return both;
  }

  #maybeFollowing(random: Random, drawn: Drawn): Drawn {
    const newest = this.#scribe.accepted().slice(-followed);
    if (newest.length === 0 || !random.chance(followShare)) return drawn;
    return following(
      random,
      drawn,
      newest.map(({ executionId, plan }) => ({ plan, by: { executionId } })),
    );
  }

  /** What a caller does once it knows that there is an execution. */
  async #follow(client: Client, executionId: string, random: Random, over: AbortSignal): Promise<void> {
    const act = random.weighted<(() => Promise<void>) | undefined>([
      [4, undefined],
      [2, () => client.watch(executionId, 1n)],
      [1, () => client.wait(executionId)],
      [1, () => client.status(executionId, random.chance(0.5))],
      [1, () => client.cancel(executionId)],
      [1, () => this.#hold(client, executionId, random, over)],
    ]);
    if (act !== undefined && (await thinks(random.whole(0, longestThoughtMs), over))) await act();
  }

  async #hold(client: Client, executionId: string, random: Random, over: AbortSignal): Promise<void> {
    await client.suspend(executionId);
    if (await thinks(random.whole(0, longestThoughtMs), over)) await client.resume(executionId);
  }

  /** Those who watched before the server died come back, and go on where they were, or look again from the start. */
  async #watchAgain(client: Client, random: Random): Promise<void> {
    const left = random.shuffled(this.#scribe.unfinished().slice(-2 * maxWatches)).slice(0, maxWatches);
    await Promise.all(
      left.map((executionId) => {
        const next = this.#scribe.seen(executionId) + 1n;
        return client.watch(executionId, random.chance(0.7) ? next : 1n);
      }),
    );
  }
}

/** False where everything is over before. */
export async function thinks(ms: number, over: AbortSignal): Promise<boolean> {
  return pause(ms, true, { signal: over }).catch(() => false);
}
