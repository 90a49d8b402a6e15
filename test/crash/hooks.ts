/** Webhooks of the load: a receiver that outlives every server, and what is asked to be told to it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { EndStatus } from '../../src/server/gen/spearlet/function_pb.js';
import {
  DeliveryState,
  type WebhookDelivery,
  WebhookService,
} from '../../src/server/gen/spearlet/webhook_pb.js';
import { readRefusal } from '../server/refusal.ts';
import type { Peer } from '../support/server.ts';
import { type Receiver, signingSecret, startReceiver } from '../support/webhook-receiver.ts';
import type { Telling, Webhook } from './history.ts';
import type { Drawn, Kind } from './kinds.ts';
import { thinks } from './load.ts';
import type { Random } from './random.ts';
import type { Scribe } from './scribe.ts';
import { patience, ticker } from './wasm-kinds.ts';

const wire = {
  completed: EndStatus.COMPLETED,
  failed: EndStatus.FAILED,
  cancelled: EndStatus.CANCELLED,
  timed_out: EndStatus.TIMED_OUT,
} as const;

/** The part of all requests that name webhooks. */
const toldShare = 0.5;
/** Of deliveries, the part whose first try is refused: each is tried again after 5 s or a little more. */
const refusedShare = 0.05;
/** The part whose first try is told that nobody is there: they are dead until they are redriven. */
const goneShare = 0.02;
/** The part of all rounds in which somebody redrives what is dead. */
const redriveShare = 0.3;
const longestThoughtMs = 200;
/** A server is killed between an answer and what it makes of it, or before it. */
const longestAnswerMs = 60;
/** For those that were refused, and for one that was refused when a server was about to end. */
const patienceMs = 90_000;
const lookAgainMs = 100;

/** Of the task that names any. */
const ofTask: readonly Webhook[] = [
  { path: '/hook/task' },
  { path: '/hook/task-bad', statuses: ['failed', 'cancelled', 'timed_out'] },
];

export class Hooks {
  readonly tellings: Telling[] = [];
  readonly #receiver: Receiver;
  readonly #secrets: string;
  readonly #random: Random;

  private constructor(receiver: Receiver, secrets: string, random: Random) {
    this.#receiver = receiver;
    this.#secrets = secrets;
    this.#random = random;
  }

  static async open(folder: string, random: Random): Promise<Hooks> {
    const secrets = join(folder, 'secrets');
    await mkdir(join(secrets, 'default'), { recursive: true });
    await writeFile(join(secrets, 'default', 'webhook'), signingSecret);
    const receiver = await startReceiver();
    const hooks = new Hooks(receiver, secrets, random);
    receiver.answer = (response) => {
      const status = hooks.#take();
      void pause(random.whole(0, longestAnswerMs)).then(() => response.writeHead(status).end());
    };
    return hooks;
  }

  /** Of `spear serve`. */
  get flags(): readonly string[] {
    return ['--allow-private-webhook-hosts', `--secrets-dir=${this.#secrets}`];
  }

  /** What came and was not signed as it should be. */
  get faults(): readonly string[] {
    return this.#receiver.faults;
  }

  /** A task whose every end is told. */
  kind(): Kind {
    return {
      ...{ name: 'told', weight: 2 },
      register: async ({ peer }) => {
        const definition = { ...patience, onEnd: ofTask.map((each) => this.#message(each)) };
        return peer.register('told', 'ticker/ticker.wasm', definition as Parameters<typeof peer.register>[2]);
      },
      draw: (random, marks) => {
        const { request, terms } = ticker.draw(random, marks);
        return { request, terms: { ...terms, task: 'told', tells: ofTask } };
      },
    };
  }

  /** With webhooks of its own, or without. */
  draw(random: Random, { request, terms }: Drawn): Drawn {
    if (!random.chance(toldShare)) return { request, terms };
    const own: Webhook[] = [{ path: '/hook/any' }];
    if (random.chance(0.5)) own.push({ path: '/hook/good', statuses: ['completed'] });
    return {
      request: { ...request, onEnd: own.map((each) => this.#message(each)) },
      terms: { ...terms, tells: [...(terms.tells ?? []), ...own] },
    };
  }

  /** What is dead is told again, at some moment of a round. */
  async redrive({ connection }: Peer, scribe: Scribe, random: Random, over: AbortSignal): Promise<void> {
    if (!random.chance(redriveShare) || !(await thinks(random.whole(0, longestThoughtMs), over))) return;
    try {
      await connection.service(WebhookService).redriveDeliveries({ allDead: true });
    } catch (error) {
      const { code, reason, message } = readRefusal(error);
      if (reason !== '') scribe.tell({ kind: 'refused', call: 'redriveDeliveries', code, reason, message });
    }
  }

  /** All deliveries that the node has, once none of them waits or is dead, or for as long as it may take. */
  async settled({ connection }: Peer): Promise<WebhookDelivery[]> {
    const webhooks = connection.service(WebhookService);
    const until = performance.now() + patienceMs;
    for (;;) {
      await webhooks.redriveDeliveries({ allDead: true });
      const states = [DeliveryState.PENDING, DeliveryState.DEAD];
      const { deliveries } = await webhooks.listDeliveries({ states, pageSize: 1 });
      if (deliveries.length === 0 || performance.now() > until) break;
      await pause(lookAgainMs);
    }
    const all: WebhookDelivery[] = [];
    let pageToken = '';
    do {
      const page = await webhooks.listDeliveries({ pageSize: 1000, pageToken });
      all.push(...page.deliveries);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    return all;
  }

  close(): Promise<void> {
    return this.#receiver.close();
  }

  #message({ path, statuses = [] }: Webhook) {
    return {
      url: new URL(path, this.#receiver.url).href,
      statuses: statuses.map((status) => wire[status]),
    };
  }

  /** Writes down what the receiver was told last, and says what it answers. */
  #take(): number {
    const received = this.#receiver.received.at(-1);
    if (received === undefined) throw new Error('nothing was received');
    const { id, path, event } = received;
    const isFirst = !this.tellings.some((each) => each.id === id);
    const answer = isFirst
      ? this.#random.weighted([
          [1 - refusedShare - goneShare, 204],
          [refusedShare, 500],
          [goneShare, 410],
        ])
      : 204;
    const status = event.type.slice(event.type.lastIndexOf('.') + 1);
    this.tellings.push({ id, path, status, accepted: answer === 204, executionId: event.subject });
    return answer;
  }
}
