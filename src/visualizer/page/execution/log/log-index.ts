/**
 * What the view needs to know of a log beyond its events: the steps, the output's times, and where the execution stood
 * at any event. Pure; it grows with the log and never looks at an event twice.
 *
 * The state at event N is folded from the nearest checkpoint, at most `stride` steps away, whatever N is.
 */
import type { EventLog } from '../../model/event-log.ts';
import { type Context, noContext, patched } from './context.ts';
import { Growing } from './growing.ts';
import { type LogState, type TransitionCount, transitionKey } from './log-state.ts';
import { type Step, stepOf } from './step.ts';

const stride = 64;

interface Checkpoint {
  readonly context: Context;
  readonly ways: ReadonlyMap<string, TransitionCount>;
  readonly visits: ReadonlyMap<string, number>;
}

const beginning: Checkpoint = { context: noContext, ways: new Map(), visits: new Map() };

export class LogIndex {
  readonly log: EventLog;
  readonly #steps: Step[] = [];
  readonly #stepSequences = new Growing();
  /** Checkpoint i is where `i × stride` steps led. */
  readonly #checkpoints: Checkpoint[] = [beginning];
  readonly #chunkSequences = new Growing();
  readonly #chunkTimes = new Growing();
  readonly #chunkSizes = new Growing();
  readonly #outputUpTo = new Growing();
  readonly #fromStderr = new Growing();
  #seen = 0;

  constructor(log: EventLog) {
    this.log = log;
  }

  /** Takes in what the log has got since. */
  catchUp(): void {
    const length = this.log.length.peek();
    for (; this.#seen < length; this.#seen += 1) {
      const event = this.log.at(this.#seen);
      if (event === undefined) return;
      if (event.kind === 'chunk') {
        const bytes = event.chunk.data.byteLength;
        this.#outputUpTo.push(this.outputBytes + bytes);
        this.#chunkSequences.push(event.sequence);
        this.#chunkTimes.push(event.time);
        this.#chunkSizes.push(bytes);
        this.#fromStderr.push(event.chunk.stream === 'stderr' ? 1 : 0);
        continue;
      }
      const step = stepOf(event, this.#steps.length, this.#steps.at(-1)?.to ?? '');
      if (step === undefined) continue;
      this.#steps.push(step);
      this.#stepSequences.push(step.sequence);
      if (this.#steps.length % stride === 0) this.#checkpoints.push(this.#fold(this.#steps.length));
    }
  }

  get steps(): readonly Step[] {
    return this.#steps;
  }

  get chunks(): number {
    return this.#chunkTimes.length;
  }

  get outputBytes(): number {
    return this.#outputUpTo.at(this.#outputUpTo.length - 1) || 0;
  }

  chunkTime(index: number): number {
    return this.#chunkTimes.at(index);
  }

  chunkBytes(index: number): number {
    return this.#chunkSizes.at(index);
  }

  isStderr(index: number): boolean {
    return this.#fromStderr.at(index) === 1;
  }

  /** How many chunks came before an instant. */
  chunksBefore(time: number): number {
    return this.#chunkTimes.countBelow(time);
  }

  /** The last step up to an event; undefined before the first. */
  stepAt(sequence: number): Step | undefined {
    return this.#steps[this.#stepSequences.countUpTo(sequence) - 1];
  }

  /** The step before or after an event, for going from one to the next. */
  neighbour(sequence: number, direction: 1 | -1): Step | undefined {
    if (direction === 1) return this.#steps[this.#stepSequences.countUpTo(sequence)];
    return this.#steps[this.#stepSequences.countBelow(sequence) - 1];
  }

  /** How much was written up to an event. */
  outputAt(sequence: number): { readonly chunks: number; readonly bytes: number } {
    const chunks = this.#chunkSequences.countUpTo(sequence);
    return { chunks, bytes: this.#outputUpTo.at(chunks - 1) || 0 };
  }

  /** Where the execution stood after the event with this number, or after the last one before it. */
  stateAt(sequence: number): LogState {
    const event = this.log.at(this.log.indexOf(sequence));
    const count = this.#stepSequences.countUpTo(sequence);
    const { context, before, ways, visits } = this.#fold(count);
    const { chunks, bytes } = this.outputAt(sequence);
    const step = this.#steps[count - 1];
    return {
      sequence: event?.sequence ?? 0,
      time: event?.time ?? 0,
      state: step?.to ?? '',
      status: event?.status ?? 'pending',
      attempt: event?.attempt ?? 0,
      context,
      contextBefore: before,
      step,
      ways,
      visits,
      chunks,
      outputBytes: bytes,
    };
  }

  /** What the first `count` steps made of nothing. */
  #fold(count: number): Checkpoint & { readonly before: Context } {
    // From before the last step, even where that one made a checkpoint: the context before it is wanted, too.
    const from = Math.min(Math.floor(Math.max(0, count - 1) / stride), this.#checkpoints.length - 1);
    const checkpoint = this.#checkpoints[from] ?? beginning;
    let { context } = checkpoint;
    let before = context;
    const ways = new Map(checkpoint.ways);
    const visits = new Map(checkpoint.visits);
    for (let number = from * stride; number < count; number += 1) {
      const step = this.#steps[number];
      if (step === undefined) break;
      before = context;
      context = patched(context, step.patch());
      ways.set(
        transitionKey(step.from, step.to),
        takenAgain(ways.get(transitionKey(step.from, step.to)), step),
      );
      if (step.from !== step.to) visits.set(step.to, (visits.get(step.to) ?? 0) + 1);
    }
    return { context, before, ways, visits };
  }
}

function takenAgain(
  was: TransitionCount | undefined,
  { from, to, eventType, sequence }: Step,
): TransitionCount {
  const events = new Map(was?.events);
  events.set(eventType, (events.get(eventType) ?? 0) + 1);
  return { from, to, events, count: (was?.count ?? 0) + 1, last: sequence };
}
