/** What clients do with batches in one round: small ones of all tasks, and some that are so large that they are staged. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type BatchMemberSchema, MemberFailurePolicy } from '../../src/server/gen/spearlet/batch_pb.js';
import type { BatchClient, BatchRequest } from './batch-client.ts';
import { type Candidate, following } from './following.ts';
import { type BatchPlan, batchLabel, planLabel } from './history.ts';
import type { Drawn } from './kinds.ts';
import { thinks } from './load.ts';
import type { Random } from './random.ts';
import type { Scribe } from './scribe.ts';

/** Draws a member; the number is the plan's. */
export type DrawMember = (random: Random, number: number) => Drawn;

interface Drawing {
  readonly any: DrawMember;
  /** Of a task that is over at once, for batches of many. */
  readonly quick: DrawMember;
}

const spreadMs = 150;
const longestThoughtMs = 200;
/** The store writes 400 at a time. */
const manyMembers = { least: 401, most: 430 };
const fewMembers = { least: 2, most: 8 };
/** Members look no further back for what they follow. */
const reach = 8;

export class BatchLoad {
  readonly #scribe: Scribe;
  readonly #drawing: Drawing;
  readonly #repeatable: { readonly plan: BatchPlan; readonly request: BatchRequest }[] = [];

  constructor(scribe: Scribe, drawing: Drawing) {
    this.#scribe = scribe;
    this.#drawing = drawing;
  }

  /** Resolves when every call has been answered or cut off. */
  async run(client: BatchClient, random: Random, over: AbortSignal): Promise<void> {
    const count = random.weighted([
      [4, 0],
      [5, 1],
      [2, 2],
    ]);
    const actors = Array.from({ length: count }, () => random.fork());
    await Promise.all([
      this.#lookAgain(client, random.fork()),
      ...actors.map((own) => this.#act(client, own, over)),
    ]);
  }

  async #act(client: BatchClient, random: Random, over: AbortSignal): Promise<void> {
    if (!(await thinks(random.whole(0, spreadMs), over))) return;
    const old = random.chance(0.2) && this.#repeatable.length > 0;
    const { plan, request } = old ? random.pick(this.#repeatable) : this.#plan(random);
    const callers = plan.invocationId === '' ? 1 : random.whole(1, 2);
    const looks = Array.from({ length: random.whole(1, 4) }, () => random.whole(0, longestThoughtMs));
    const calls = Array.from({ length: callers }, () => random.fork());
    await Promise.all([
      ...looks.map(async (ms) => {
        if (await thinks(ms, over)) await client.look(plan);
      }),
      ...calls.map(async (own) => {
        const batchId = await client.invoke(plan, request);
        if (batchId !== undefined) await this.#follow(client, batchId, own, over);
      }),
    ]);
  }

  #plan(random: Random): { plan: BatchPlan; request: BatchRequest } {
    const isLarge = random.chance(0.2);
    const { least, most } = isLarge ? manyMembers : fewMembers;
    const draw = isLarge ? this.#drawing.quick : this.#drawing.any;
    const isGraph = random.chance(0.6);
    const cancelOthers = random.chance(0.3);
    const made = { members: [] as MessageInitShape<typeof BatchMemberSchema>[] };
    const plan = this.#scribe.batchPlan((number) => {
      const candidates: Candidate[] = isLarge ? [] : random.shuffled(this.#others()).slice(0, 1);
      const members: number[] = [];
      for (let left = random.whole(least, most); left > 0; left--) {
        const name = `m${members.length}`;
        const drawn = { request: {} as Drawn['request'] };
        const own = this.#scribe.plan((ofMember) => {
          const plain = draw(random, ofMember);
          const within = candidates.slice(-reach);
          const { request, terms } =
            isGraph && within.length > 0 && random.chance(0.7) ? following(random, plain, within) : plain;
          drawn.request = request;
          return { number: ofMember, invocationId: '', terms };
        });
        candidates.push({ plan: own, by: { name } });
        members.push(own.number);
        const metadata = { [planLabel]: String(own.number), [batchLabel]: String(number) };
        made.members.push({ name, invocation: { ...drawn.request, task: own.terms.task, metadata } });
      }
      const invocationId = random.chance(0.4) ? `batch-${number}` : '';
      return { number, invocationId, members, cancelOthers };
    });
    const { invocationId } = plan;
    const onMemberFailure = cancelOthers ? MemberFailurePolicy.CANCEL_OTHERS : MemberFailurePolicy.CONTINUE;
    const both = { plan, request: { ...made, invocationId, onMemberFailure } };
    if (invocationId !== '') this.#repeatable.push(both);
    return both;
  }

  /** Executions that are not of the batch, which its members may follow. */
  #others(): Candidate[] {
    const accepted = this.#scribe.accepted().slice(-reach);
    return accepted.map(({ executionId, plan }) => ({ plan, by: { executionId } }));
  }

  async #follow(client: BatchClient, batchId: string, random: Random, over: AbortSignal): Promise<void> {
    const act = random.weighted<(() => Promise<void>) | undefined>([
      [2, undefined],
      [3, () => client.watch(batchId, 1n)],
      [1, () => client.wait(batchId)],
      [1, () => client.status(batchId)],
      [2, () => client.cancel(batchId)],
    ]);
    if (act !== undefined && (await thinks(random.whole(0, longestThoughtMs), over))) await act();
  }

  /** The newest ones, by who does not know whether they were accepted before the server died. */
  async #lookAgain(client: BatchClient, random: Random): Promise<void> {
    const newest = [...this.#scribe.batchPlans.values()].slice(-2);
    const [known] = [...this.#scribe.batchIds].slice(-random.whole(1, 2));
    await Promise.all([
      ...newest.map((plan) => client.look(plan)),
      ...(known === undefined ? [] : [client.watch(known, BigInt(random.whole(1, 3)))]),
    ]);
  }
}
