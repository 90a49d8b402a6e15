import type { LogEvent, NewEvent } from '../../../src/domain/event.ts';
import { chunkBytes, EventPage } from '../../../src/stores/page.ts';
import type {
  EventQuery,
  LoggedRefusal,
  LoggedTransition,
  LogOutline,
  NodeEvent,
} from '../../../src/stores/store.ts';

/** Logs of the memory store, and the order of all their events. */
export class MemoryLogs {
  readonly #logs = new Map<string, NodeEvent[]>();
  #nextPosition = 1;

  last(executionId: string): number {
    return this.#logs.get(executionId)?.at(-1)?.sequence ?? 0;
  }

  get lastPosition(): number {
    return this.#nextPosition - 1;
  }

  /** Returns the first event's position. */
  append(executionId: string, events: readonly NewEvent[]): number {
    const position = this.#nextPosition;
    if (events.length === 0) return position;
    const log = this.#logs.get(executionId) ?? [];
    this.#logs.set(executionId, log);
    for (const event of events)
      log.push({ ...copyEvent(event), position: this.#nextPosition++, executionId });
    return position;
  }

  page(executionId: string, query: EventQuery): LogEvent[] {
    const page = new EventPage(query);
    for (const { executionId: _, ...event } of this.#logs.get(executionId) ?? []) {
      if (!page.offer(copyEvent(event))) break;
    }
    return page.events;
  }

  outline(executionId: string): LogOutline {
    const log = this.#logs.get(executionId) ?? [];
    const events = log.map(({ executionId: _, ...event }) => event);
    const transitions = events.filter((event): event is LoggedTransition => event.kind === 'transition');
    const refusals = events.filter((event): event is LoggedRefusal => event.kind === 'refusal');
    const begun = transitions.find(({ attempt }) => attempt === transitions.at(-1)?.attempt);
    const output = { stdout: 0, stderr: 0 };
    for (const event of events) {
      const old = begun !== undefined && begun.attempt > 0 && event.sequence < begun.sequence;
      if (event.kind === 'chunk' && !old) output[event.stream] += event.data.byteLength;
    }
    return { transitions, refusals, lastTime: events.at(-1)?.time ?? 0, output };
  }

  /** Events of all but the hidden ones. */
  fromPosition(from: number, limit: number, hidden: ReadonlySet<string>): NodeEvent[] {
    return [...this.#logs]
      .flatMap(([executionId, log]) => (hidden.has(executionId) ? [] : log))
      .filter((event) => event.position >= from)
      .sort((a, b) => a.position - b.position)
      .slice(0, Math.max(0, limit))
      .map(copyEvent);
  }

  /** Drops a log but for its result. */
  purge(executionId: string): void {
    const log = this.#logs.get(executionId) ?? [];
    if (log.at(-1)?.kind === 'result') log.splice(0, log.length - 1);
  }

  delete(executionId: string): void {
    this.#logs.delete(executionId);
  }

  bytes(executionId: string): number {
    const events = this.#logs.get(executionId) ?? [];
    return events.reduce((total, event) => total + eventBytes + chunkBytes(event), 0);
  }
}

/** What an event is taken to be without its data. */
const eventBytes = 256;

function copyEvent<E extends NewEvent>(event: E): E {
  return event.kind === 'chunk' ? { ...event, data: Uint8Array.from(event.data) } : { ...event };
}
