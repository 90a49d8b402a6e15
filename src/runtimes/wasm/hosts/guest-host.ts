import type { Clock } from '../../../domain/clock.ts';
import type { InstanceReport } from '../../../domain/instance.ts';
import { refusalFrom } from '../../../domain/network/refusal.ts';
import { ComputeWatch } from '../../containment/cells/compute-watch.ts';
import type { AttemptOutcome } from '../../runtime.ts';
import { encodeMessage, type HostRecord, RecordReader, recordKind } from './channel.ts';
import { CpuWatch } from './cpu-watch.ts';
import { Hold } from './hold.ts';
import { hostEnding } from './host-ending.ts';
import type { HostExit, HostProcess } from './host-process.ts';
import type { PendingJob } from './pending.ts';
import {
  type HostMessage,
  type NetworkRules,
  type Notice,
  type Program,
  programMessage,
} from './protocol.ts';

/** Executions that a host may take before it is replaced: jco leaks a little with each instance (#937, #1675). */
const maxWear = 2000;
const wearOfReuse = 0.01;

/** Programs that a host may load before it is replaced: an imported module stays until its process ends. */
const maxLoads = 64;

/** One of several jobs that were sent together may go on for so long after it was to stop; they take less in all. */
const stopTimeoutMs = 5;

/**
 * Memory of a host beside its guests': Node itself, the values that go in and out (60 to 150 MiB, measured), and the
 * compiler, which may need up to 768 MiB for a function that is just let through; see docs/decisions/0016-code-gate.md.
 */
const ownMemoryBytes = 1024 * 1024 * 1024;

export interface HostOwner {
  /** Jobs wait for a host. */
  readonly busy: boolean;
  /** Its code is loaded. */
  onReady(host: GuestHost): void;
  /** It begins to hold a program. */
  onHeld(hold: Hold): void;
  /** A batch is over that ran these, each once. */
  onServed(host: GuestHost, holds: readonly Hold[]): void;
  /** It can take jobs: its code is loaded, or what it had to do is done. */
  onIdle(host: GuestHost): void;
  /** Its process has ended, and all that it ran is settled. */
  onGone(host: GuestHost): void;
  /**
   * These were given to it and are to run again: they have said nothing yet, and what became of the host is not known
   * to be their fault. `suspect` is whether one of them may have taken it down.
   */
  onReturned(jobs: readonly PendingJob[], suspect: boolean): void;
  onSettled(pending: PendingJob, outcome: AttemptOutcome): void;
  /** What has become of a program that it was to prepare. */
  onNotice(host: GuestHost, notice: Notice): void;
}

interface GuestHostOptions {
  readonly name: string;
  /** Its first message. */
  readonly code: readonly Uint8Array[];
  readonly clock: Clock;
  readonly report: InstanceReport | undefined;
  /** What its guests may not reach; undefined where they have no network. */
  readonly rules: (() => NetworkRules) | undefined;
}

/**
 * One guest host and what runs in it. One that has failed in any way is ended and not used again.
 *
 * 1. Jobs run in the order in which they were sent, so the first without a reply is the one that runs, or one that
 *    ended a moment before it.
 * 2. Jobs are sent several at once only where running one twice cannot be noticed.
 */
export class GuestHost {
  readonly name: string;
  /** Its code is loaded. */
  warm = false;
  /** It takes no more jobs. */
  ending = false;
  /** The programs that it has loaded and not dismissed, by their keys. */
  readonly holds = new Map<number, Hold>();
  /** Keys of the programs that it is to say something about. */
  readonly preparing = new Set<number>();
  readonly #owner: HostOwner;
  readonly #clock: Clock;
  readonly #report: InstanceReport | undefined;
  readonly #process: HostProcess;
  readonly #reader = new RecordReader();
  readonly #jobs = new Map<number, PendingJob>();
  /** What the batch under way runs; empty between batches. */
  #serving: Hold[] = [];
  /** Its batch has ended, and is to be released soon. */
  #released = true;
  /** What it runs leaves a live instance, which the next may be for. */
  #reuses = false;
  /** Keys of all programs that it was ever given. */
  readonly #loads = new Set<number>();
  readonly #output: { records: HostRecord[]; blocked: boolean } = { records: [], blocked: false };
  readonly #computeWatch: ComputeWatch;
  #memory = 0;
  #cpuWatch: CpuWatch | undefined;
  /** Microseconds; set where its guest was ended for it. */
  #cpuUsedUp: number | undefined;
  #batch = 0;
  #tickets = 0;
  #wear = 0;
  #exit: HostExit | undefined;
  /** It may not run anything more, whatever it has left to say. */
  #worn = false;
  readonly #rules: (() => NetworkRules) | undefined;
  /** Why it was ended; undefined where it ended by itself. */
  #reason: string | undefined;

  constructor(
    process: HostProcess,
    owner: HostOwner,
    { name, code, clock, report, rules }: GuestHostOptions,
  ) {
    this.name = name;
    this.#process = process;
    this.#owner = owner;
    this.#clock = clock;
    this.#report = report;
    this.#rules = rules;
    process.limitMemory(ownMemoryBytes);
    this.#computeWatch = new ComputeWatch({
      clock,
      cpuTimeUs: () => process.cpuTimeUs(),
      setBackground: (background) => process.setBackground(background),
    });
    // Who waits for it can wait for its start; others need not.
    this.#computeWatch.background();
    this.#write(code);
    process.socket.listen((chunk) => this.#hear(chunk));
    void process.exited.then((exit) => {
      this.#release();
      this.#exit = exit;
      this.#end('its process ended');
      this.#drain();
    });
  }

  /** Why it never began; undefined where it did, or where that is not known. */
  get startFailure(): HostExit['failed'] {
    return this.#exit?.failed;
  }

  get idle(): boolean {
    return !this.ending && this.#jobs.size === 0 && this.preparing.size === 0;
  }

  /** Nothing has run in it yet. */
  get unused(): boolean {
    return this.#loads.size === 0;
  }

  get wornOut(): boolean {
    return this.#worn || this.#wear >= maxWear || this.#loads.size >= maxLoads;
  }

  /**
   * Takes at most `maxBatch` jobs; the host must be idle. A job with a limit of processor time comes alone. False where
   * it takes none, as it is ended: what it ran before may have been its last.
   */
  dispatch(jobs: readonly PendingJob[]): boolean {
    const [first] = jobs;
    this.#release();
    if (first === undefined || this.ending) return false;
    this.#batch += 1;
    this.#reuses = first.job.reuse;
    const bytes = this.#networkMessage();
    for (const pending of jobs) {
      const hold = this.#hold(pending.program, bytes);
      if (hold.batch !== this.#batch) {
        hold.batch = this.#batch;
        this.#serving.push(hold);
      }
      this.#wear += pending.job.reuse ? wearOfReuse : 1;
      this.#tickets = (this.#tickets + 1) >>> 0;
      const ticket = this.#tickets;
      this.#jobs.set(ticket, pending);
      pending.holder = this;
      const head: HostMessage = {
        kind: 'job',
        job: { ...pending.job, ticket, program: pending.program.key },
      };
      bytes.push(...encodeMessage(head, [pending.input]));
    }
    this.#write(bytes);
    this.#computeWatch.begin();
    this.#report?.send({ type: 'bind', executionId: first.executionId, attempt: first.attempt });
    return true;
  }

  /** Loads a program before it is needed, with an instance where `live`; the host is not idle until it has. */
  prepare(program: Program, live: boolean): void {
    const bytes = this.#networkMessage();
    this.#hold(program, bytes).pinned = true;
    this.preparing.add(program.key);
    const head: HostMessage = { kind: 'prepare', program: program.key, live };
    this.#write([...bytes, ...encodeMessage(head)]);
  }

  /** Has it forget a program, after what it does now. */
  dismiss(key: number): void {
    this.holds.delete(key);
    const head: HostMessage = { kind: 'dismiss', program: key };
    this.#write(encodeMessage(head));
  }

  abort(pending: PendingJob): void {
    if (this.#jobs.size === 1) {
      this.terminate('what it ran was to stop');
      return;
    }
    // Which of them runs is not known, and a moment later they have all ended.
    this.#clock.setTimer(stopTimeoutMs, () => {
      if ([...this.#jobs.values()].includes(pending)) this.terminate('what it ran was to stop');
    });
  }

  /** Gives back what was sent together and has no reply, because something in it runs for too long. */
  giveUpBatch(): void {
    const waiting = [...this.#jobs].filter(([, pending]) => !pending.talked);
    if (waiting.length === this.#jobs.size) {
      this.terminate('calls that were sent to it together took too long');
      return;
    }
    // The one that has written is the one that runs: it may go on, and the host ends with it.
    this.#end('it was given more than it was to run');
    for (const [ticket] of waiting) this.#jobs.delete(ticket);
    this.#owner.onReturned(
      waiting.map(([, pending]) => pending),
      false,
    );
  }

  /** Ends the host, whatever it does; `onGone` follows. */
  terminate(reason: string): void {
    this.#release();
    this.#reason ??= reason;
    this.#end(reason);
    this.#process.kill();
  }

  #end(reason: string): void {
    this.#cpuWatch?.stop();
    this.#computeWatch.stop();
    if (this.ending) return;
    this.ending = true;
    this.#report?.send({ type: 'stop', reason });
  }

  #write(bytes: readonly Uint8Array[]): void {
    if (!this.ending) this.#process.socket.write(bytes);
  }

  /** What it holds of the program; `bytes` gets the program itself where that is nothing yet. */
  #hold(program: Program, bytes: Uint8Array[]): Hold {
    let hold = this.holds.get(program.key);
    if (hold === undefined) {
      hold = new Hold(program);
      this.holds.set(program.key, hold);
      this.#loads.add(program.key);
      const { head, attachments } = programMessage(program, this.#process.preopens);
      bytes.push(...encodeMessage(head, attachments));
      this.#allowMemory();
      this.#owner.onHeld(hold);
    }
    return hold;
  }

  /** Room for a live instance of each program, and once more for one that is not collected yet. */
  #allowMemory(): void {
    const caps = [...this.holds.values()].map(({ program }) =>
      program.cores.reduce((sum, core) => sum + core.memoryCap * core.instances, 0),
    );
    const wanted = ownMemoryBytes + caps.reduce((sum, cap) => sum + cap, 0) + Math.max(0, ...caps);
    if (wanted <= this.#memory) return;
    this.#memory = wanted;
    this.#process.limitMemory(wanted);
  }

  #watchCpu(pending: PendingJob, startUs: number): void {
    if (pending.cpuTimeMs === undefined || !Number.isFinite(startUs)) return;
    this.#cpuWatch = new CpuWatch({
      clock: this.#clock,
      limitMs: pending.cpuTimeMs,
      startUs,
      used: () => this.#process.cpuTimeUs(),
      onUsedUp: (usedUs) => {
        this.#cpuUsedUp = usedUs;
        this.terminate('its guest used up its CPU time');
      },
    });
  }

  #hear(chunk: Buffer): void {
    try {
      this.#output.records.push(...this.#reader.push(chunk));
    } catch (error) {
      this.#process.socket.close();
      this.terminate(`it sent ${error instanceof Error ? error.message : 'what cannot be read'}`);
    }
    this.#drain();
  }

  /** Hands on what came, record by record, at the pace of whoever takes it. */
  #drain(): void {
    const { records } = this.#output;
    if (this.#output.blocked) return;
    for (const [at, record] of records.entries()) {
      const wait = this.#handle(record);
      if (wait === undefined) continue;
      records.splice(0, at + 1);
      this.#output.blocked = true;
      this.#process.socket.pause();
      void wait.then(() => {
        this.#output.blocked = false;
        this.#process.socket.resume();
        this.#drain();
      });
      return;
    }
    records.length = 0;
    if (this.#exit !== undefined) this.#finish(this.#exit);
    else if (this.#mayWait()) this.#releaseSoon();
    else this.#afterJobs();
  }

  #handle({ kind, ticket, data }: HostRecord): Promise<void> | undefined {
    if (kind === recordKind.ready) {
      this.warm = true;
      if (this.#serving.length === 0) {
        this.#computeWatch.end();
        this.#report?.send({ type: 'ready' });
      } else {
        // What it took to start is not what its job has used.
        this.#computeWatch.begin();
      }
      this.#owner.onReady(this);
      return undefined;
    }
    if (kind === recordKind.notice) {
      this.#notice(JSON.parse(textOf(data)) as Notice);
      return undefined;
    }
    const pending = this.#jobs.get(ticket);
    if (pending === undefined) return undefined;
    if (kind === recordKind.begun) {
      this.#watchCpu(pending, Number(textOf(data)));
      return undefined;
    }
    if (kind === recordKind.reply) {
      this.#jobs.delete(ticket);
      this.#settle(pending, JSON.parse(textOf(data)) as AttemptOutcome);
      return undefined;
    }
    if (kind === recordKind.refusal) {
      const refusal = refusalFrom(JSON.parse(textOf(data)));
      if (refusal !== undefined) pending.io.refused(refusal);
      return undefined;
    }
    pending.talked = true;
    return pending.io.write(kind === recordKind.stdout ? 'stdout' : 'stderr', data);
  }

  /** Before each guest, because the node's ports may have become known since. */
  #networkMessage(): Uint8Array[] {
    return this.#rules === undefined ? [] : encodeMessage({ kind: 'network', rules: this.#rules() });
  }

  #notice(notice: Notice): void {
    if (notice.state === 'worn') {
      this.#worn = true;
      return;
    }
    if (notice.state !== 'spent') this.preparing.delete(notice.program);
    this.#owner.onNotice(this, notice);
  }

  #settle(pending: PendingJob, outcome: AttemptOutcome): void {
    this.#owner.onSettled(pending, outcome);
    pending.settle(outcome);
  }

  /** Nobody waits for what follows the end of its batch. */
  #mayWait(): boolean {
    return this.#jobs.size === 0 && this.#serving.length > 0 && !this.#reuses && !this.#owner.busy;
  }

  /** After what follows from the outcome, which begins its commit at the end of this turn of the event loop. */
  #releaseSoon(): void {
    this.#released = false;
    setImmediate(() => setImmediate(() => this.#release()));
  }

  #release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#afterJobs();
  }

  #afterJobs(): void {
    if (this.#jobs.size > 0) return;
    if (this.ending) {
      // What is left in it has been given to others.
      if (this.#reason === undefined) this.terminate('it was given more than it was to run');
      return;
    }
    if (this.#serving.length > 0) {
      const served = this.#serving;
      this.#serving = [];
      this.#cpuWatch?.stop();
      this.#cpuWatch = undefined;
      this.#computeWatch.end();
      this.#report?.send({ type: 'release' });
      this.#owner.onServed(this, served);
    }
    if (this.warm && this.idle) this.#owner.onIdle(this);
  }

  /** The process is gone and all that it wrote is handed on. */
  #finish(exit: HostExit): void {
    const returned: PendingJob[] = [];
    const alone = this.#jobs.size === 1 && this.#loads.size === 1;
    for (const pending of this.#jobs.values()) {
      const facts = {
        exit,
        reason: this.#reason,
        cpuUsedUp: this.#cpuUsedUp,
        fault: alone || !pending.program.pure || pending.talked,
      };
      // Before its code is loaded it has run nothing.
      const ending = this.warm || pending.signal.aborted ? hostEnding(pending, facts) : undefined;
      if (ending === undefined) returned.push(pending);
      else this.#settle(pending, { ...ending, instanceId: this.name });
    }
    this.#jobs.clear();
    this.#report?.send({ type: 'gone' });
    if (returned.length > 0) this.#owner.onReturned(returned, this.warm && this.#reason === undefined);
    this.#owner.onGone(this);
  }
}

function textOf(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.length).toString('utf8');
}
