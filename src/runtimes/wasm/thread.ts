import { Worker } from 'node:worker_threads';
import type { AttemptOutcome } from '../runtime.ts';
import { entryUrl } from './entry.ts';
import type { PendingJob } from './pending.ts';
import {
  type Batch,
  claim,
  claimWord,
  maxBatch,
  type Program,
  recordKind,
  type ThreadMemory,
} from './protocol.ts';
import { createRing, RingReader, type RingRecord } from './ring.ts';

/** Of JavaScript: the values that go in and out of a guest. A guest's own memory is bounded by the gate. */
const resourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32 };

/** Executions that a thread may take before it is replaced: jco leaks a little with each instance (#937, #1675). */
const maxWear = 2000;
const wearOfReuse = 0.01;
const maxPrograms = 64;

/** Read from a thread in one turn of the event loop. */
const drainBytes = 256 * 1024;

export interface ThreadOwner {
  /** Its code is loaded, or its jobs are done: it can take more. */
  onIdle(thread: WasmThread): void;
  /** Its thread has ended, and all that it ran is settled. */
  onGone(thread: WasmThread): void;
  /** These were given to it and never begun. */
  onReturned(jobs: readonly PendingJob[]): void;
  onSettled(pending: PendingJob, outcome: AttemptOutcome): void;
}

interface Slot {
  readonly pending: PendingJob;
  /** Bytes of the reply so far. */
  parts: Uint8Array[];
}

/** One worker thread and what runs in it. A thread that has failed in any way is terminated and not used again. */
export class WasmThread {
  readonly name: string;
  /** Its code is loaded. */
  warm = false;
  /** It takes no more jobs. */
  ending = false;
  readonly #owner: ThreadOwner;
  readonly #worker: Worker;
  readonly #memory: ThreadMemory = {
    ring: createRing(),
    claims: new Int32Array(new SharedArrayBuffer(4 * maxBatch)),
  };
  readonly #reader: RingReader;
  readonly #slots = new Map<number, Slot>();
  readonly #known = new Set<number>();
  #batch = 0;
  #wear = 0;
  #blocked = false;
  #exited = false;
  #lost = 'the worker thread ended';

  constructor(name: string, owner: ThreadOwner) {
    this.name = name;
    this.#owner = owner;
    this.#reader = new RingReader(this.#memory.ring);
    this.#worker = new Worker(entryUrl('./worker', import.meta.url), {
      name,
      workerData: { name, memory: this.#memory },
      env: {},
      argv: [],
      execArgv: ['--no-warnings'],
      stdout: true,
      stderr: true,
      resourceLimits,
    });
    // What the host's own code prints there is of no use to anyone, and unread it would pile up.
    this.#worker.stdout.resume();
    this.#worker.stderr.resume();
    this.#worker.on('message', () => this.#onBell());
    this.#worker.on('error', (error: Error) => {
      this.#lost = `the worker thread failed: ${error.message}`;
    });
    this.#worker.on('exit', () => {
      this.#exited = true;
      this.ending = true;
      this.#drain();
    });
  }

  get idle(): boolean {
    return !this.ending && this.#slots.size === 0;
  }

  get wornOut(): boolean {
    return this.#wear >= maxWear || this.#known.size >= maxPrograms;
  }

  /** Takes at most `maxBatch` jobs; the thread must be idle. */
  dispatch(jobs: readonly PendingJob[]): void {
    this.#batch = (this.#batch + 1) & 0xfffffff;
    const programs: Program[] = [];
    const messages = jobs.map((pending, slot) => {
      const { key } = pending.program;
      if (!this.#known.has(key)) {
        this.#known.add(key);
        programs.push(pending.program);
      }
      this.#wear += pending.job.reuse ? wearOfReuse : 1;
      this.#slots.set(slot, { pending, parts: [] });
      pending.holder = this;
      Atomics.store(this.#memory.claims, slot, claimWord(this.#batch, claim.open));
      return { ...pending.job, slot, program: key };
    });
    const batch: Batch = { batch: this.#batch, programs, jobs: messages };
    this.#worker.postMessage(batch);
  }

  abort(pending: PendingJob): void {
    for (const [slot, entry] of this.#slots) {
      if (entry.pending !== pending) continue;
      if (this.#take(slot)) {
        pending.stopUnstarted();
        this.#afterSlots();
      } else if (Atomics.load(this.#memory.claims, slot) === claimWord(this.#batch, claim.started)) {
        this.terminate();
      }
    }
  }

  /** Gives back what has not begun, where something has run for so long that it should not be waited for. */
  returnUnstarted(): boolean {
    const returned = [...this.#slots].filter(([slot]) => this.#take(slot)).map(([, entry]) => entry.pending);
    if (returned.length > 0) this.#owner.onReturned(returned);
    return returned.length > 0;
  }

  /** Ends the thread, whatever it does; `onGone` follows. */
  terminate(): void {
    this.ending = true;
    void this.#worker.terminate();
  }

  /** Moves a job from the worker's reach to ours, where it was not begun. */
  #take(slot: number): boolean {
    const open = claimWord(this.#batch, claim.open);
    const taken =
      Atomics.compareExchange(this.#memory.claims, slot, open, claimWord(this.#batch, claim.taken)) === open;
    if (taken) this.#slots.delete(slot);
    return taken;
  }

  #onBell(): void {
    if (!this.warm) {
      this.warm = true;
      this.#owner.onIdle(this);
    }
    this.#drain();
  }

  /**
   * Hands on what the ring holds, until its end or until whoever takes the output asks to wait. A guest that
   * writes as fast as it is read would never let this end, so it goes on in a later turn of the event loop.
   */
  #drain(): void {
    if (this.#blocked) return;
    this.#reader.hush();
    let budget = drainBytes;
    for (let record = this.#reader.next(); record !== undefined; record = this.#reader.next()) {
      const wait = this.#handle(record);
      budget -= record.data.length;
      if (wait !== undefined || budget <= 0) {
        this.#blocked = true;
        const goOn = () => {
          this.#blocked = false;
          this.#reader.release();
          this.#drain();
        };
        if (wait === undefined) setImmediate(goOn);
        else void wait.then(goOn);
        return;
      }
      this.#reader.release();
    }
    if (this.#exited) this.#finish();
    else this.#afterSlots();
  }

  #handle({ kind, slot, data }: RingRecord): Promise<void> | undefined {
    const entry = this.#slots.get(slot);
    if (entry === undefined) return undefined;
    if (kind === recordKind.stdout || kind === recordKind.stderr) {
      entry.pending.talked = true;
      return entry.pending.io.write(kind === recordKind.stdout ? 'stdout' : 'stderr', data);
    }
    entry.parts.push(data);
    if (kind === recordKind.replyEnd) {
      this.#slots.delete(slot);
      this.#settle(entry.pending, JSON.parse(Buffer.concat(entry.parts).toString('utf8')) as AttemptOutcome);
    }
    return undefined;
  }

  #settle(pending: PendingJob, outcome: AttemptOutcome): void {
    this.#owner.onSettled(pending, outcome);
    pending.settle(outcome);
  }

  #afterSlots(): void {
    if (this.warm && this.idle) this.#owner.onIdle(this);
  }

  /** The thread is gone and all it wrote is handed on. */
  #finish(): void {
    this.returnUnstarted();
    const facts = { instanceId: this.name, resourceUse: {} };
    for (const { pending } of this.#slots.values()) {
      if (pending.signal.aborted) this.#settle(pending, { kind: 'stopped', rung: 'terminate', ...facts });
      else this.#settle(pending, { kind: 'failed', code: 'INSTANCE_LOST', message: this.#lost, ...facts });
    }
    this.#slots.clear();
    this.#owner.onGone(this);
  }
}
