import { existsSync, writeFileSync } from 'node:fs';
import { ControlFile } from './control-file.ts';

/** What one cell does about memory. Its methods throw as the file system does. */
export interface MemoryControl {
  /** Opens its files, so that the rest needs no descriptor. */
  prepare(): void;
  /** `undefined` is without a limit; swap counts. */
  limit(bytes: number | undefined): void;
  /** Forgets what was measured before. */
  reset(): void;
  /** Bytes at most since `reset`; undefined where this kernel cannot tell. */
  peak(): number | undefined;
  /** Bytes charged now. */
  current(): number;
  /** Processes killed for want of memory since `reset`. */
  kills(): number;
  /** Whether sockets hold so much more than the limit that only an end helps; undefined where they cannot. */
  socketsExceed(): boolean | undefined;
  close(): void;
}

export function openMemoryControl(version: 1 | 2, folder: string): MemoryControl {
  return version === 1 ? new MemoryControl1(folder) : new MemoryControl2(folder);
}

/** Files of version 1 for buffers of sockets: of all their kinds, in spite of the name. */
export const socketMemory = {
  limit: 'memory.kmem.tcp.limit_in_bytes',
  use: 'memory.kmem.tcp.usage_in_bytes',
} as const;

/** What sockets may hold beyond their limit: each is let have some 64 KiB for its next message. */
export function socketSlack(limit: number): number {
  return Math.max(8 * 1024 * 1024, limit / 4);
}

class MemoryControl1 implements MemoryControl {
  readonly #memory: ControlFile;
  /** Memory and swap together; a kernel without swap accounting has no such file. */
  readonly #both: ControlFile | undefined;
  /**
   * Buffers of sockets are in neither of the others, and only those of sockets that are made while there is a limit
   * count. A kernel without `CONFIG_MEMCG_KMEM` has no such file.
   */
  readonly #sockets: ControlFile | undefined;
  readonly #socketUse: ControlFile | undefined;
  readonly #peak: ControlFile;
  readonly #current: ControlFile;
  readonly #oom: ControlFile;
  #limit = Number.POSITIVE_INFINITY;
  #killsBefore = 0;

  constructor(folder: string) {
    const both = `${folder}/memory.memsw.limit_in_bytes`;
    const sockets = `${folder}/${socketMemory.limit}`;
    this.#memory = new ControlFile(`${folder}/memory.limit_in_bytes`, 'write');
    this.#both = existsSync(both) ? new ControlFile(both, 'write') : undefined;
    if (existsSync(sockets)) {
      this.#sockets = new ControlFile(sockets, 'write');
      this.#socketUse = new ControlFile(`${folder}/${socketMemory.use}`, 'read');
    }
    this.#peak = new ControlFile(`${folder}/memory.max_usage_in_bytes`, 'both');
    this.#current = new ControlFile(`${folder}/memory.usage_in_bytes`, 'read');
    this.#oom = new ControlFile(`${folder}/memory.oom_control`, 'read');
  }

  prepare(): void {
    for (const file of this.#files()) file?.prepare();
  }

  limit(bytes: number | undefined): void {
    const next = bytes ?? Number.POSITIVE_INFINITY;
    if (next === this.#limit) return;
    const text = bytes === undefined ? '-1' : String(bytes);
    // The sum may at no moment be below its part.
    const files = next > this.#limit ? [this.#both, this.#memory] : [this.#memory, this.#both];
    this.#limit = Number.NaN;
    for (const file of [...files, this.#sockets]) file?.write(text);
    this.#limit = next;
  }

  reset(): void {
    this.#peak.write('0');
    this.#killsBefore = this.#oom.readKey('oom_kill');
  }

  peak(): number {
    return Number(this.#peak.read());
  }

  current(): number {
    return Number(this.#current.read());
  }

  kills(): number {
    return this.#oom.readKey('oom_kill') - this.#killsBefore;
  }

  socketsExceed(): boolean | undefined {
    if (this.#socketUse === undefined || !Number.isFinite(this.#limit)) return undefined;
    return Number(this.#socketUse.read()) > this.#limit + socketSlack(this.#limit);
  }

  close(): void {
    for (const file of this.#files()) file?.close();
  }

  #files(): readonly (ControlFile | undefined)[] {
    const sockets = [this.#sockets, this.#socketUse];
    return [this.#memory, this.#both, ...sockets, this.#peak, this.#current, this.#oom];
  }
}

class MemoryControl2 implements MemoryControl {
  readonly #max: ControlFile;
  readonly #swap: ControlFile | undefined;
  readonly #peak: ControlFile | undefined;
  readonly #current: ControlFile;
  readonly #events: ControlFile;
  #limit: number | undefined;
  #killsBefore = 0;
  #peakBefore = 0;

  constructor(folder: string) {
    const swap = `${folder}/memory.swap.max`;
    const peak = `${folder}/memory.peak`;
    this.#max = new ControlFile(`${folder}/memory.max`, 'write');
    this.#swap = existsSync(swap) ? new ControlFile(swap, 'write') : undefined;
    this.#peak = existsSync(peak) ? new ControlFile(peak, 'both') : undefined;
    this.#current = new ControlFile(`${folder}/memory.current`, 'read');
    this.#events = new ControlFile(`${folder}/memory.events`, 'read');
    // A program with one of its processes killed is of no use.
    if (existsSync(`${folder}/memory.oom.group`)) writeFileSync(`${folder}/memory.oom.group`, '1');
  }

  prepare(): void {
    for (const file of [this.#max, this.#swap, this.#peak, this.#current, this.#events]) file?.prepare();
  }

  limit(bytes: number | undefined): void {
    if (bytes === this.#limit) return;
    this.#max.write(bytes === undefined ? 'max' : String(bytes));
    this.#swap?.write(bytes === undefined ? 'max' : '0');
    this.#limit = bytes;
  }

  reset(): void {
    this.#killsBefore = this.#events.readKey('oom_kill');
    this.#peakBefore = 0;
    try {
      this.#peak?.write('reset');
    } catch {
      // Before Linux 6.12 it cannot be: then only a higher peak than the last says something.
      this.#peakBefore = Number(this.#peak?.read() ?? 0);
    }
  }

  peak(): number | undefined {
    const peak = Number(this.#peak?.read() ?? 0);
    return peak > this.#peakBefore ? peak : undefined;
  }

  current(): number {
    return Number(this.#current.read());
  }

  kills(): number {
    return this.#events.readKey('oom_kill') - this.#killsBefore;
  }

  /** They count as memory. */
  socketsExceed(): undefined {}

  close(): void {
    for (const file of [this.#max, this.#swap, this.#peak, this.#current, this.#events]) file?.close();
  }
}
