import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import type { ResourceUse } from '../../../domain/execution.ts';
import type { Limits } from '../../../domain/task.ts';
import type { Cell } from './cell.ts';
import { ControlFile } from './control-file.ts';
import type { Group, Layout } from './layout.ts';
import { type MemoryControl, openMemoryControl } from './memory-control.ts';
import { Setting } from './setting.ts';

const cpuPeriodUs = 100_000;
/** The least that the kernel takes. */
const minQuotaUs = 1000;
/** What a new cgroup weighs where processors are short, and a sixteenth of that. */
const cpuWeights = {
  1: { file: 'cpu.shares', whole: '1024', background: '64' },
  2: { file: 'cpu.weight', whole: '100', background: '6' },
} as const;
/** Processes beside the program's own: its launcher stays, see Launcher. */
const launchers = 1;
/** What may stay charged to a cell that is used again: the kernel's own, and rounding. */
const maxLeftBytes = 2 * 1024 * 1024;

/** One cgroup in each of the node's hierarchies, under one name. Throws as the file system does. */
export class CgroupCell implements Cell {
  readonly wrapper = [];
  readonly outerWrapper = [];
  readonly nested = false;
  readonly joins: string[] = [];
  readonly #folders: string[] = [];
  readonly #memory: MemoryControl | undefined;
  readonly #processes: Setting | undefined;
  readonly #processCount: ControlFile | undefined;
  readonly #cpu: Setting | undefined;
  readonly #weight: { readonly setting: Setting; readonly background: string } | undefined;
  readonly #cpuTime: { readonly file: ControlFile; readonly version: 1 | 2 } | undefined;
  readonly #procs: ControlFile;
  readonly #killSwitch: ControlFile | undefined;
  readonly #giveBack: (cell: CgroupCell, reusable: boolean) => void;
  #cpuTimeBefore = 0;

  constructor(layout: Layout, name: string, giveBack: (cell: CgroupCell, reusable: boolean) => void) {
    this.#giveBack = giveBack;
    const folderIn = (group: Group) => `${group.folder}/${name}`;
    const [first] = layout.groups;
    if (first === undefined) throw new Error('a layout has at least one group');
    for (const group of layout.groups) {
      mkdirSync(folderIn(group), { recursive: true });
      this.#folders.push(folderIn(group));
    }
    const { memory, processes, cpu, cpuTime } = layout;
    this.#memory = memory && openMemoryControl(memory.version, folderIn(memory));
    this.#processes = processes && new Setting(`${folderIn(processes)}/pids.max`, 'max');
    this.#processCount = processes && new ControlFile(`${folderIn(processes)}/pids.current`, 'read');
    this.#cpu =
      cpu &&
      (cpu.version === 1
        ? new Setting(`${folderIn(cpu)}/cpu.cfs_quota_us`, '-1')
        : new Setting(`${folderIn(cpu)}/cpu.max`, 'max'));
    this.#weight = cpu && weightIn(cpu.version, folderIn(cpu));
    this.#cpuTime = cpuTime && {
      version: cpuTime.version,
      file: new ControlFile(
        `${folderIn(cpuTime)}/${cpuTime.version === 1 ? 'cpuacct.usage' : 'cpu.stat'}`,
        'read',
      ),
    };
    this.#procs = new ControlFile(`${folderIn(first)}/cgroup.procs`, 'read');
    const killFile = `${folderIn(first)}/cgroup.kill`;
    this.#killSwitch = existsSync(killFile) ? new ControlFile(killFile, 'write') : undefined;
    for (const group of layout.groups) {
      // A thread that moves alone does not wait for the lock over all processes; version 2 cannot do that.
      const file = group.version === 1 ? 'tasks' : 'cgroup.procs';
      this.joins.push(`${folderIn(group)}/${file}`);
    }
  }

  /** When this has returned, the rest needs no further descriptor. */
  begin(limits: Partial<Limits>): void {
    for (const part of this.#parts()) part?.prepare();
    this.#memory?.limit(limits.memory);
    this.#processes?.set(limits.processes === undefined ? 'max' : String(limits.processes + launchers));
    if (this.#cpu !== undefined) {
      const quota =
        limits.cpu === undefined ? undefined : Math.max(minQuotaUs, Math.round(limits.cpu * cpuPeriodUs));
      this.#cpu.set(quota === undefined ? this.#cpu.initial : String(quota));
    }
    this.setBackground(false);
    this.#memory?.reset();
    this.#cpuTimeBefore = this.#readCpuTime() ?? 0;
  }

  started(): void {}

  kill(): void {
    if (this.#killSwitch !== undefined) {
      this.#killSwitch.write('1');
      return;
    }
    // None can start while they are killed one by one.
    this.#processes?.set('0');
    const processes = this.#look();
    if (processes !== undefined) killEach(processes);
  }

  isEmpty(): boolean {
    return this.#look() === '';
  }

  limitMemory(bytes: number): void {
    this.#memory?.limit(bytes);
  }

  setBackground(background: boolean): void {
    if (this.#weight === undefined) return;
    const { setting } = this.#weight;
    try {
      setting.set(background ? this.#weight.background : setting.initial);
    } catch {
      // Somebody removed it: what is in it is weighed as it was.
    }
  }

  cpuTimeUs(): number | undefined {
    const now = this.#readCpuTime();
    return now === undefined ? undefined : now - this.#cpuTimeBefore;
  }

  resourceUse(): ResourceUse {
    const cpuTimeUs = this.cpuTimeUs();
    const peakMemoryBytes = this.#memory?.peak();
    return {
      ...(cpuTimeUs !== undefined && { cpuTimeUs }),
      ...(peakMemoryBytes !== undefined && { peakMemoryBytes }),
    };
  }

  ranOutOfMemory(): boolean {
    return (this.#memory?.kills() ?? 0) > 0;
  }

  socketsExceedMemory(): boolean | undefined {
    try {
      return this.#memory?.socketsExceed();
    } catch {
      // Somebody removed it: nobody counts any more.
      return undefined;
    }
  }

  release(empty: boolean): void {
    // What is still charged would count against the next: files in memory, or dead processes that nobody reaps.
    const clean =
      empty &&
      (this.#memory?.current() ?? 0) <= maxLeftBytes &&
      (this.#processCount === undefined || Number(this.#processCount.read()) === 0);
    this.#giveBack(this, clean);
  }

  /** Whether its folders are gone; a folder with a process in it stays. */
  remove(): boolean {
    for (const part of this.#parts()) part?.close();
    let gone = true;
    for (const folder of this.#folders) {
      try {
        rmdirSync(folder);
      } catch {
        // The watchdog, or the next start, finds it.
        gone = gone && !existsSync(folder);
      }
    }
    return gone;
  }

  #parts(): readonly ({ prepare(): void; close(): void } | undefined)[] {
    const files = [this.#procs, this.#killSwitch, this.#processCount, this.#cpuTime?.file];
    return [...files, this.#memory, this.#processes, this.#cpu, this.#weight?.setting];
  }

  /** The processes as they are now; undefined where another took the descriptor for it, so that it is asked again. */
  #look(): string | undefined {
    try {
      return this.#procs.readFresh();
    } catch (error) {
      if (error instanceof Error && 'code' in error && (error.code === 'EMFILE' || error.code === 'ENFILE'))
        return undefined;
      throw error;
    }
  }

  #readCpuTime(): number | undefined {
    if (this.#cpuTime === undefined) return undefined;
    const { file, version } = this.#cpuTime;
    try {
      return version === 1 ? Math.round(Number(file.read()) / 1000) : file.readKey('usage_usec');
    } catch {
      // Somebody removed it, which must not end the node.
      return undefined;
    }
  }
}

function weightIn(version: 1 | 2, folder: string) {
  const { file, whole, background } = cpuWeights[version];
  return { setting: new Setting(`${folder}/${file}`, whole), background };
}

function killEach(procs: string): void {
  for (const line of procs.split('\n')) {
    // 0 is a process that this process id namespace cannot see, and to kill would mean us.
    const pid = Number(line);
    if (pid <= 0) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It is gone already.
    }
  }
}
