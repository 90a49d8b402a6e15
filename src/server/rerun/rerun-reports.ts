import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { Clock, Timer } from '../../domain/clock.ts';
import { type RerunRefusal, type RerunTally, rerunRefusals } from '../../domain/rerun.ts';
import {
  type RerunExecutionsResponse,
  RerunExecutionsResponseSchema,
  type RerunItemSchema,
  type RerunRefusal as WireRefusal,
} from '../gen/spearlet/rerun_pb.js';

export type Item = MessageInitShape<typeof RerunItemSchema>;
type Send = (message: RerunExecutionsResponse) => Promise<void> | undefined;

const everyMs = 200;
const mostItems = 1000;
/** Items that wait for a slow reader before nothing more is started. */
const mostWaiting = 5000;

/** The wire has them in their order, from 1. */
export function refusalToWire(refusal: RerunRefusal): WireRefusal {
  return rerunRefusals.indexOf(refusal) + 1;
}

/** Tells a caller how far a run is, a few times a second, and all that has happened since. */
export class RerunReports {
  readonly #tally: RerunTally;
  readonly #id: string;
  readonly #clock: Pick<Clock, 'setTimer'>;
  readonly #send: Send;
  #items: Item[] = [];
  #counting = true;
  #truncated = false;
  #sending: Promise<void> | undefined;
  #timer: Timer | undefined;

  constructor(id: string, tally: RerunTally, clock: Pick<Clock, 'setTimer'>, send: Send) {
    this.#id = id;
    this.#tally = tally;
    this.#clock = clock;
    this.#send = send;
  }

  /** Something is counted, or has happened. */
  note(item?: Item): void {
    if (item !== undefined) this.#items.push(item);
    this.#timer ??= this.#clock.setTimer(everyMs, () => {
      this.#timer = undefined;
      if (this.#sending === undefined) this.#tell(false);
      else this.note();
    });
  }

  /** Resolves when there is room for more. */
  async room(): Promise<void> {
    while (this.#items.length > mostWaiting) {
      await this.#sending;
      this.#tell(false);
    }
  }

  /** Tells at once where it stands. */
  async now(): Promise<void> {
    await this.#sending;
    this.#tell(false);
    await this.#sending;
  }

  counted(truncated: boolean): Promise<void> {
    this.#counting = false;
    this.#truncated = truncated;
    return this.now();
  }

  async done(): Promise<void> {
    this.stop();
    while (this.#items.length > mostItems) await this.now();
    await this.#sending;
    this.#tell(true);
    await this.#sending;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #tell(done: boolean): void {
    const items = this.#items.splice(0, mostItems);
    const { matched, possible, started, found, refused, ended } = this.#tally;
    const busy = this.#send(
      create(RerunExecutionsResponseSchema, {
        ...{ rerunId: this.#id, counting: this.#counting, truncated: this.#truncated, items, done },
        ...{ matched: BigInt(matched), possible: BigInt(possible) },
        ...{ started: BigInt(started), found: BigInt(found) },
        refused: [...refused].map(([refusal, count]) => ({
          refusal: refusalToWire(refusal),
          count: BigInt(count),
        })),
        completed: BigInt(ended.get('completed') ?? 0),
        failed: BigInt(ended.get('failed') ?? 0),
        timedOut: BigInt(ended.get('timedOut') ?? 0),
        cancelled: BigInt(ended.get('cancelled') ?? 0),
      }),
    );
    this.#sending = busy?.finally(() => {
      this.#sending = undefined;
    });
  }
}
