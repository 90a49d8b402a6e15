import type { Worker } from 'node:worker_threads';
import type { Clock } from '../../domain/clock.ts';
import type { InstanceReport } from '../../domain/instance.ts';
import type { AttemptOutcome } from '../runtime.ts';
import { CpuWatch } from './cpu-watch.ts';
import { Drain } from './drain.ts';
import { Hold } from './hold.ts';
import type { PendingJob } from './pending.ts';
import {
  claim,
  claimWord,
  maxBatch,
  type Notice,
  type Program,
  recordKind,
  type ThreadMemory,
  type WorkerMessage,
} from './protocol.ts';
import { createRing, type RingRecord } from './ring.ts';
import { spawnWorker } from './spawn.ts';

/** Executions that a thread may take before it is replaced: jco leaks a little with each instance (#937, #1675). */
const maxWear = 2000;
const wearOfReuse = 0.01;

/** Programs that a thread may load before it is replaced: an imported module stays until its thread ends. */
const maxLoads = 64;

export interface ThreadOwner {
  /** Its code is loaded. */
  onReady(thread: WasmThread): void;
  /** It begins to hold a program. */
  onHeld(hold: Hold): void;
  /** A batch is over that ran these, each once. */
  onServed(thread: WasmThread, holds: readonly Hold[]): void;
  /** It can take jobs: its code is loaded, or what it had to do is done. */
  onIdle(thread: WasmThread): void;
  /** Its thread has ended, and all that it ran is settled. */
  onGone(thread: WasmThread): void;
  /** These were given to it and never begun. */
  onReturned(jobs: readonly PendingJob[]): void;
  onSettled(pending: PendingJob, outcome: AttemptOutcome): void;
  /** What has become of a program that it was to prepare. */
  onNotice(thread: WasmThread, notice: Notice): void;
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
  /** The programs that it has loaded and not dismissed, by their keys. */
  readonly holds = new Map<number, Hold>();
  /** Keys of the programs that it is to say something about. */
  readonly preparing = new Set<number>();
  readonly #owner: ThreadOwner;
  readonly #clock: Clock;
  readonly #report: InstanceReport | undefined;
  readonly #worker: Worker;
  readonly #memory: ThreadMemory = {
    ring: createRing(),
    claims: new Int32Array(new SharedArrayBuffer(4 * maxBatch)),
    cpuStart: new Float64Array(new SharedArrayBuffer(8)),
  };
  readonly #drain: Drain;
  readonly #slots = new Map<number, Slot>();
  /** What the batch under way runs; empty between batches. */
  #serving: Hold[] = [];
  /** Keys of all programs that it was ever given. */
  readonly #loads = new Set<number>();
  #cpuWatch: CpuWatch | undefined;
  /** Microseconds; set where its guest was ended for it. */
  #cpuUsedUp: number | undefined;
  #batch = 0;
  #wear = 0;
  #exited = false;
  #lost = 'the worker thread ended';

  constructor(name: string, owner: ThreadOwner, clock: Clock, report: InstanceReport | undefined) {
    this.name = name;
    this.#owner = owner;
    this.#clock = clock;
    this.#report = report;
    this.#drain = new Drain(
      this.#memory.ring,
      (record) => this.#handle(record),
      () => (this.#exited ? this.#finish() : this.#afterSlots()),
    );
    this.#worker = spawnWorker(name, this.#memory);
    this.#worker.on('message', () => this.#onBell());
    this.#worker.on('error', (error: Error) => {
      this.#lost = `the worker thread failed: ${error.message}`;
    });
    this.#worker.on('exit', () => {
      this.#exited = true;
      this.#end(this.#lost);
      this.#drain.run();
    });
  }

  get idle(): boolean {
    return !this.ending && this.#slots.size === 0 && this.preparing.size === 0;
  }

  get wornOut(): boolean {
    return this.#wear >= maxWear || this.#loads.size >= maxLoads;
  }

  /** Takes at most `maxBatch` jobs; the thread must be idle. A job with a limit of CPU time comes alone. */
  dispatch(jobs: readonly PendingJob[]): void {
    this.#batch = (this.#batch + 1) & 0xfffffff;
    const programs: Program[] = [];
    const messages = jobs.map((pending, slot) => {
      const { key } = pending.program;
      const hold = this.#hold(pending.program, programs);
      if (hold.batch !== this.#batch) {
        hold.batch = this.#batch;
        this.#serving.push(hold);
      }
      this.#wear += pending.job.reuse ? wearOfReuse : 1;
      this.#slots.set(slot, { pending, parts: [] });
      pending.holder = this;
      Atomics.store(this.#memory.claims, slot, claimWord(this.#batch, claim.open));
      return { ...pending.job, slot, program: key };
    });
    const [first] = jobs;
    if (first === undefined) return;
    this.#memory.cpuStart[0] = -1;
    if (first.cpuTimeMs !== undefined) this.#cpuWatch = this.#watchCpu(first.cpuTimeMs);
    const batch: WorkerMessage = { kind: 'batch', batch: this.#batch, programs, jobs: messages };
    this.#worker.postMessage(batch);
    this.#report?.send({ type: 'bind', executionId: first.executionId, attempt: first.attempt });
  }

  /** Loads a program before it is needed, with an instance where `live`; the thread is not idle until it has. */
  prepare(program: Program, live: boolean): void {
    const programs: Program[] = [];
    this.#hold(program, programs).pinned = true;
    this.preparing.add(program.key);
    const message: WorkerMessage = { kind: 'prepare', program: program.key, live, programs };
    this.#worker.postMessage(message);
  }

  /** Has it forget a program, after what it does now. */
  dismiss(key: number): void {
    this.holds.delete(key);
    const message: WorkerMessage = { kind: 'dismiss', program: key };
    this.#worker.postMessage(message);
  }

  abort(pending: PendingJob): void {
    for (const [slot, entry] of this.#slots) {
      if (entry.pending !== pending) continue;
      if (this.#take(slot)) {
        pending.stopUnstarted();
        this.#afterSlots();
      } else if (Atomics.load(this.#memory.claims, slot) === claimWord(this.#batch, claim.started)) {
        this.terminate('what it ran was to stop');
      }
    }
  }

  /** Gives back what has not begun, where something has run for so long that it should not be waited for. */
  returnUnstarted(): void {
    const returned = [...this.#slots].filter(([slot]) => this.#take(slot)).map(([, entry]) => entry.pending);
    if (returned.length === 0) return;
    this.#owner.onReturned(returned);
    this.#afterSlots();
  }

  /** Ends the thread, whatever it does; `onGone` follows. */
  terminate(reason: string): void {
    this.#end(reason);
    void this.#worker.terminate();
  }

  #end(reason: string): void {
    this.#cpuWatch?.stop();
    if (this.ending) return;
    this.ending = true;
    this.#report?.send({ type: 'stop', reason });
  }

  /** What it holds of the program; `missing` gets it where that is nothing yet. */
  #hold(program: Program, missing: Program[]): Hold {
    let hold = this.holds.get(program.key);
    if (hold === undefined) {
      hold = new Hold(program);
      this.holds.set(program.key, hold);
      this.#loads.add(program.key);
      missing.push(program);
      this.#owner.onHeld(hold);
    }
    return hold;
  }

  #watchCpu(limitMs: number): CpuWatch {
    return new CpuWatch({
      clock: this.#clock,
      limitMs,
      worker: this.#worker,
      cpuStart: this.#memory.cpuStart,
      onUsedUp: (usedUs) => {
        this.#cpuUsedUp = usedUs;
        this.terminate('its guest used up its CPU time');
      },
    });
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
      if (this.#serving.length === 0) this.#report?.send({ type: 'ready' });
      this.#owner.onReady(this);
    }
    this.#drain.run();
  }

  #handle({ kind, slot, data }: RingRecord): Promise<void> | undefined {
    if (kind === recordKind.notice) {
      this.#notice(data);
      return undefined;
    }
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

  #notice(lines: Uint8Array): void {
    for (const line of Buffer.from(lines).toString('utf8').trimEnd().split('\n')) {
      const notice = JSON.parse(line) as Notice;
      if (notice.state !== 'spent') this.preparing.delete(notice.program);
      this.#owner.onNotice(this, notice);
    }
  }

  #settle(pending: PendingJob, outcome: AttemptOutcome): void {
    this.#owner.onSettled(pending, outcome);
    pending.settle(outcome);
  }

  #afterSlots(): void {
    if (this.ending || this.#slots.size > 0) return;
    if (this.#serving.length > 0) {
      const served = this.#serving;
      this.#serving = [];
      this.#cpuWatch?.stop();
      this.#cpuWatch = undefined;
      this.#report?.send({ type: 'release' });
      this.#owner.onServed(this, served);
    }
    if (this.warm && this.idle) this.#owner.onIdle(this);
  }

  /** The thread is gone and all it wrote is handed on. */
  #finish(): void {
    this.returnUnstarted();
    for (const { pending } of this.#slots.values()) this.#settle(pending, this.#endingOf(pending));
    this.#slots.clear();
    this.#report?.send({ type: 'gone' });
    this.#owner.onGone(this);
  }

  #endingOf(pending: PendingJob): AttemptOutcome {
    const facts = { instanceId: this.name, resourceUse: {} };
    if (this.#cpuUsedUp !== undefined) {
      const message = `it used up its ${pending.cpuTimeMs} ms of CPU time`;
      const resourceUse = { cpuTimeUs: this.#cpuUsedUp };
      return { kind: 'failed', code: 'CPU_LIMIT', message, ...facts, resourceUse };
    }
    if (pending.signal.aborted) return { kind: 'stopped', rung: 'terminate', ...facts };
    return { kind: 'failed', code: 'INSTANCE_LOST', message: this.#lost, ...facts };
  }
}
