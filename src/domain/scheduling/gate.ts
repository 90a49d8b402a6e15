/**
 * What holds back work that is due. A gate stands before a value of a key, such as one customer's attempts; several can
 * measure the same, each against its own limit. Pure: `now` is in milliseconds of any clock that only goes on.
 */
import { HeldClasses } from './held-classes.ts';
import type { OrderNode } from './order-node.ts';
import { PassingClasses } from './passing-classes.ts';

/** What one execution has to pass; the limit of a rule counts for all that wait before any of its values. */
export type GateUse = ConcurrencyUse | RateUse | ResourcesUse | QuotaMemoryUse | QuarantineUse | PlaceUse;

interface Measured {
  /** Whose limit it is: a task's key. */
  readonly rule: string;
  /** What is counted: those with the same one are counted together, whatever their rules. */
  readonly meter: string;
  /** As people know it. */
  readonly key: string;
  readonly value: string;
  /** Of the rule: the limit of the highest one counts. Absent is 0. */
  readonly version?: number;
}

/** So many attempts at a time. */
export interface ConcurrencyUse extends Measured {
  readonly kind: 'concurrency' | 'quota';
  readonly limit: number;
}

/** So many starts in a time, and after a pause at most `burst` at once. */
export interface RateUse extends Measured {
  readonly kind: 'rate' | 'quotaRate';
  readonly units: number;
  readonly perMs: number;
  readonly burst: number;
}

/** How much memory and how many processors there are to hand out. */
export interface Resources {
  readonly memoryBytes: number;
  readonly processors: number;
}

/** Past so many failed attempts in a time the others are held, but for one now and then. */
export interface QuarantineUse extends Measured {
  readonly kind: 'quarantine';
  readonly failures: number;
  readonly withinMs: number;
}

/** A node has to have room that it may run on; the value is the key of its placement. */
export interface PlaceUse extends Measured {
  readonly kind: 'place';
}

export interface AttemptError {
  readonly code: string;
  readonly message: string;
}

/** What is known of a task that is quarantined. Times are of the same clock as `now`. */
export interface Trouble {
  readonly since: number;
  /** How many attempts failed within the time before it began. */
  readonly failures: number;
  readonly last: AttemptError;
  /** Of these, how many have failed since. */
  readonly probes: number;
  /** The execution that is let through to try. */
  readonly probe?: string;
  /** When the next one is, where none runs. */
  readonly probeAt?: number;
}

/** Reserved while an attempt runs. */
export interface ResourcesUse {
  readonly kind: 'resources';
  /** Of one that waits for a node of a cluster: the key of its placement, where not any may run it. */
  readonly placement?: string;
  readonly memoryBytes: number;
  readonly processors: number;
}

/** Reserved of what a tenant may have while an attempt runs. The quota itself is set for all of the tenant. */
export interface QuotaMemoryUse extends Measured {
  readonly kind: 'quotaMemory';
  readonly memoryBytes: number;
}

/** What gates measure against. */
export interface Meter {
  readonly gates: Gate[];
  /** Whether it could be made anew, and nothing would be forgotten. */
  isClear(now: number): boolean;
}

export abstract class Gate {
  readonly id: string;
  readonly meter: Meter;
  /** As it was said last. */
  use: GateUse;
  open = true;
  /** Since when it is open or closed. */
  since: number;
  /** How many classes and attempts it is before. */
  users = 0;
  /** Of those that have to pass it, how many wait, by their priority. */
  readonly waiting = [0, 0, 0, 0];
  readonly passing = new PassingClasses();
  readonly held = new HeldClasses();
  /** The tenant whose quota it is. */
  owner: OrderNode | undefined;

  constructor(id: string, use: GateUse, meter: Meter, now: number) {
    this.id = id;
    this.use = use;
    this.meter = meter;
    this.since = now;
  }

  /** Why it holds more than its limit says; undefined for most. */
  get trouble(): Trouble | undefined {
    return undefined;
  }

  /** Its limit has changed. */
  limited(): void {}

  /** Whether one may go through now. */
  abstract admits(now: number): boolean;
  /** An attempt goes through. */
  abstract pass(id: string, now: number): void;
  /** It runs though nobody let it through, as it ran before. */
  abstract hold(id: string): void;
  /** It has ended. */
  abstract leave(id: string): void;
  /** Of memory and processors: what there is in all. */
  get total(): Resources | undefined {
    return undefined;
  }
  /** When it opens by itself; infinity where something has to end first. */
  abstract readonly opensAt: number;
  /**
   * Milliseconds until one with so many before it is let through, where each attempt takes `expectedMs`. Infinity where
   * it never is.
   */
  abstract waitMs(ahead: number, expectedMs: number, now: number): number;
  /** Those that keep it closed. */
  abstract readonly holders: Iterable<string>;
}

/**
 * Milliseconds until one with so many before it has a place, of which there are `places` and `free` ones: all that run
 * are taken to have just begun.
 */
export function roundsMs(ahead: number, places: number, free: number, expectedMs: number): number {
  const inTheWay = ahead + 1 - Math.max(0, free);
  if (inTheWay <= 0) return 0;
  return places <= 0 ? Number.POSITIVE_INFINITY : Math.ceil(inTheWay / places) * expectedMs;
}
