import { type Actor, createActor } from 'xstate';
import type { Clock } from '../../domain/clock.ts';
import type {
  InstanceEvent,
  InstanceFacts,
  InstanceReport,
  InstanceReporter,
  InstanceState,
  Instances,
  InstanceView,
  PoolView,
} from '../../domain/instance.ts';
import type { RuntimeKind } from '../../domain/task.ts';
import { compiled } from '../../machines/compiled-chart.ts';
import { instanceMachine } from '../../machines/instance.ts';

const chart = compiled(instanceMachine);

/** `ms` is how long it took, from the order on. */
type Started = (runtime: RuntimeKind, ms: number) => void;

/** The instances of this node, each an actor of the instance chart, and the pools that keep some of them ready. */
export class InstanceRegistry implements InstanceReporter, Instances {
  readonly #clock: Clock;
  readonly #started: Started;
  readonly #instances = new Set<Entry>();
  readonly #pools = new Set<() => PoolView>();

  /** `started` hears of each instance that can serve. */
  constructor(clock: Clock, started: Started = () => {}) {
    this.#clock = clock;
    this.#started = started;
  }

  open(facts: InstanceFacts): InstanceReport {
    const begun = this.#clock.monotonic();
    const entry = new Entry(facts, this.#clock, {
      started: () => this.#started(facts.runtime, this.#clock.monotonic() - begun),
      stopped: () => this.#instances.delete(entry),
    });
    this.#instances.add(entry);
    return entry;
  }

  /** `view` is asked whenever the pools are listed; the pool is forgotten with the returned function. */
  addPool(view: () => PoolView): () => void {
    this.#pools.add(view);
    return () => void this.#pools.delete(view);
  }

  instances(): readonly InstanceView[] {
    return [...this.#instances].map((entry) => entry.view());
  }

  pools(): readonly PoolView[] {
    return [...this.#pools]
      .map((view) => view())
      .sort((a, b) => a.taskName.localeCompare(b.taskName) || a.revision - b.revision);
  }
}

interface Told {
  started(): void;
  stopped(): void;
}

class Entry implements InstanceReport {
  readonly #facts: InstanceFacts;
  readonly #clock: Clock;
  readonly #told: Told;
  readonly #actor: Actor<typeof instanceMachine>;
  readonly #createdAt: number;
  #stateSince: number;

  constructor(facts: InstanceFacts, clock: Clock, told: Told) {
    this.#facts = facts;
    this.#clock = clock;
    this.#told = told;
    this.#actor = createActor(chart, { id: facts.instanceId }).start();
    this.#createdAt = Math.round(clock.now());
    this.#stateSince = this.#createdAt;
  }

  get state(): InstanceState {
    return this.#actor.getSnapshot().value;
  }

  send(event: InstanceEvent): void {
    const before = this.#actor.getSnapshot();
    this.#actor.send(event);
    const after = this.#actor.getSnapshot();
    if (after === before) return;
    if (after.value !== before.value) this.#stateSince = Math.round(this.#clock.now());
    if (before.value === 'starting' && event.type === 'ready') this.#told.started();
    if (after.status === 'done') this.#told.stopped();
  }

  view(): InstanceView {
    const { value, context } = this.#actor.getSnapshot();
    return {
      ...this.#facts,
      ...context,
      state: value,
      createdAt: this.#createdAt,
      stateSince: this.#stateSince,
    };
  }
}
