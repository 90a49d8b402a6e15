/** A chart whose changes are written down as the supervisor writes them. */
import { LiveLog, type LogSurroundings } from '../../src/actors/log/live-log.ts';
import { OutputRoom } from '../../src/actors/log/output-room.ts';
import { recordAdmission, recordChange } from '../../src/actors/log/recorder.ts';
import type { NewEvent } from '../../src/domain/event.ts';
import type { ExecutionRecord } from '../../src/domain/execution.ts';
import type { ExecutionEvent, ExecutionInput } from '../../src/machines/execution-context.ts';
import type { LoggedChange } from '../../src/machines/replay.ts';
import { recordOf } from '../stores/samples.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { createMemoryStore } from '../support/memory-store/store.ts';
import { invocationWith, taskWith } from '../support/samples.ts';
import { begin, type Step, send } from './chart.ts';

export class RecordedChart {
  step: Step;
  readonly #log: LiveLog;
  readonly #events: NewEvent[] = [];
  readonly #stopwatch = { admitted: 0, dispatched: undefined };
  #written: Step['snapshot'];

  constructor(input: ExecutionInput) {
    const store = createMemoryStore();
    const surroundings: LogSurroundings = {
      clock: new FakeClock(),
      store,
      room: new OutputRoom(store),
      touched: () => {},
      limitReached: () => {},
    };
    const record = recordOf(input.executionId, 'pending', {
      state: '',
      attempt: 0,
      lastSequence: 0,
      deadlines: {
        total: input.now + input.totalMs,
        ...(input.startAt !== undefined && { startAt: input.startAt }),
      },
    });
    const start = { input: invocationWith(), claimInvocationId: undefined };
    this.#log = new LiveLog(surroundings, record, taskWith().definition.limits, start);
    this.step = begin(input);
    this.#written = this.step.snapshot;
    recordAdmission(this.#log, this.step.snapshot, true, undefined);
  }

  get record(): ExecutionRecord {
    return this.#log.record;
  }

  /** All events so far. */
  get events(): readonly NewEvent[] {
    const entry = this.#log.take();
    if (entry !== undefined) {
      this.#events.push(...entry.events);
      this.#log.commit(1);
    }
    return this.#events;
  }

  get changes(): readonly LoggedChange[] {
    return this.events.filter((event) => event.kind === 'transition');
  }

  send(...events: readonly ExecutionEvent[]): this {
    for (const event of events) {
      const { snapshot: before } = this.step;
      this.step = send(this.step, event);
      const { snapshot: after } = this.step;
      if (after === before) continue;
      const last = this.record.lastSequence;
      const now = { wall: event.at, monotonic: event.at };
      recordChange(this.#log, before, after, event, this.#stopwatch, now, true, this.#written);
      if (this.record.lastSequence > last) this.#written = after;
    }
    return this;
  }
}
