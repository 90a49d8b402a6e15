/** What clients do with schedules in one round: now and then a new one, and something to those that are there. */
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { ScheduleOverlap } from '../../src/server/gen/spearlet/schedule_pb.js';
import { planLabel, type SchedulePlan } from './history.ts';
import type { Drawn, Kind } from './kinds.ts';
import { thinks } from './load.ts';
import type { Random } from './random.ts';
import type { ScheduleClient } from './schedule-client.ts';
import type { Scribe } from './scribe.ts';
import { lines } from './wasm-kinds.ts';

const { SKIP, QUEUE, CANCEL_RUNNING, ALLOW } = ScheduleOverlap;

/** The part of all rounds that make one. */
const newShare = 0.3;
const spreadMs = 150;
const totalMs = 9000;
/** The shortest that there is, so that a run of the server meets several instants. */
const intervalMs = 1000;
/** No stop of the load's takes as long, unless the machine is busy. */
const catchUpMs = 10_000;
const life = { least: 3000, most: 15_000 };
/** Those that something is done to. */
const newest = 4;

export class ScheduleLoad {
  readonly #scribe: Scribe;
  /** Of programs that tick; some of them tell webhooks of their ends. */
  readonly #kinds: readonly Kind[];

  constructor(scribe: Scribe, kinds: readonly Kind[]) {
    this.#scribe = scribe;
    this.#kinds = kinds;
  }

  /** Resolves when every call has been answered or cut off. */
  async run(client: ScheduleClient, random: Random, over: AbortSignal): Promise<void> {
    const known = [...this.#scribe.schedulePlans.keys()].slice(-newest);
    const makes = random.chance(newShare);
    const [making, ...own] = [random.fork(), ...known.map(() => random.fork())];
    await Promise.all([
      makes && this.#make(client, making, over),
      ...known.map((name, index) => this.#act(client, name, own[index] ?? making, over)),
    ]);
  }

  async #make(client: ScheduleClient, random: Random, over: AbortSignal): Promise<void> {
    if (!(await thinks(random.whole(0, spreadMs), over))) return;
    const overlap = random.pick([SKIP, QUEUE, CANCEL_RUNNING, ALLOW]);
    const endAt = Date.now() + random.whole(life.least, life.most);
    const { request, terms } = drawTicks(random, random.pick(this.#kinds));
    const name = `every-${this.#scribe.schedulePlans.size + 1}`;
    const { number } = this.#scribe.plan((of) => ({ number: of, invocationId: '', terms, schedule: name }));
    const plan: SchedulePlan = { name, plan: number, overlap, intervalMs, catchUpMs, endAt };
    this.#scribe.schedulePlans.set(name, plan);
    await client.create(plan, {
      invocation: { ...request, task: terms.task, metadata: { [planLabel]: String(number) } },
      when: { case: 'interval', value: durationFromMs(intervalMs) },
      overlap,
      catchUp: durationFromMs(catchUpMs),
      endAt: timestampFromMs(endAt),
    });
  }

  async #act(client: ScheduleClient, name: string, random: Random, over: AbortSignal): Promise<void> {
    const act = random.weighted<(() => Promise<void>) | undefined>([
      [6, undefined],
      [3, () => client.firings(name)],
      [2, () => client.trigger(name)],
      [1, () => client.backfill(name, random.whole(1, 8) * 1000)],
      [0.5, () => client.pause(name)],
      [1, () => client.resume(name)],
      [0.2, () => client.delete(name)],
    ]);
    if (act !== undefined && (await thinks(random.whole(0, spreadMs), over))) await act();
  }
}

/** From a few milliseconds to several intervals long. */
function drawTicks(random: Random, kind: Kind): Drawn {
  const { terms } = kind.draw(random, '');
  const [count, pause] = [random.whole(1, 8), random.whole(5, random.chance(0.4) ? 400 : 60)];
  return {
    request: {
      args: [String(count), String(pause)],
      timeouts: { total: durationFromMs(totalMs) },
    },
    terms: { ...terms, totalMs, stdout: lines(count, (index) => `tick ${index}`) },
  };
}
