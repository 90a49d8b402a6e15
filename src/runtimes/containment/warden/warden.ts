import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../../domain/clock.ts';
import type { Cutoffs } from '../../../domain/cutoffs.ts';
import { entryUrl } from '../../entry.ts';
import { layoutFolders } from '../cells/layout.ts';
import { guestsOf } from '../containment.ts';
import type { FromWarden, ToWarden, WardenOrder } from './warden-protocol.ts';

/** It has little to do, and its memory is there for nothing else. */
const nodeFlags = [
  '--no-warnings',
  '--jitless',
  '--v8-pool-size=0',
  '--max-old-space-size=32',
  '--max-semi-space-size=1',
];

export interface WardenOptions extends Pick<WardenOrder, 'containers' | 'graceMs' | 'reattachMs'> {
  readonly nodeId: string;
  /** Has the id of the process, for the next run of the node. */
  readonly pidFile: string;
  /** Hears what became of what the node runs. */
  readonly told: (word: FromWarden) => void;
  readonly clock: Pick<Clock, 'setTimer'>;
}

/** One that says nothing for so long is not waited for. */
const answerMs = 2000;

/**
 * The process that stops what a node runs when the node may be taken for dead, whatever the node itself does. It has to
 * be opened before the node moves into a cgroup of its own.
 */
export class Warden implements Cutoffs {
  readonly #options: WardenOptions;
  readonly #order: WardenOrder;
  #child: ChildProcess | undefined;
  #closed = false;
  #times = 0;
  /** Those that wait for the answers to come, first come first served. */
  readonly #asked: PromiseWithResolvers<void>[] = [];

  constructor(options: WardenOptions) {
    this.#options = options;
    const { nodeId, containers, graceMs, reattachMs } = options;
    const cells = [nodeId, guestsOf(nodeId)].flatMap((id) => layoutFolders(`spear-${id}`));
    this.#order = { cells, ...(containers && { containers }), graceMs, reattachMs };
    endEarlier(options.pidFile);
    this.#start();
  }

  /** What runs may go on until then, of the monotonic clock of this process. */
  until(monotonicMs: number): void {
    const offset = Number(process.hrtime.bigint() / 1000n) / 1000 - performance.now();
    if (this.#child === undefined && !this.#closed) this.#start();
    this.#tell({ type: 'until', at: monotonicMs + offset });
  }

  get times(): number {
    return this.#times;
  }

  async known(): Promise<number> {
    if (this.#child?.stdin?.writable === true) {
      const answer = Promise.withResolvers<void>();
      this.#asked.push(answer);
      this.#tell({ type: 'ask' });
      const timer = this.#options.clock.setTimer(answerMs, answer.resolve);
      await answer.promise;
      timer.cancel();
    }
    return this.#times;
  }

  /** Others have taken over. */
  end(): void {
    this.#tell({ type: 'end' });
  }

  /** What the node has not ended itself are containers that its next run may follow. */
  close(): void {
    this.#closed = true;
    this.#tell({ type: 'done' });
    this.#child?.stdin?.end();
  }

  #start(): void {
    const path = fileURLToPath(entryUrl('./warden-main', import.meta.url));
    const program = path.endsWith('.ts')
      ? ['--input-type=module', '--eval', stripTypeScriptTypes(readFileSync(path, 'utf8')), '--', title]
      : [path, title];
    const child = spawn(process.execPath, [...nodeFlags, ...program, JSON.stringify(this.#order)], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: {},
      cwd: '/',
      // A session of its own: what stops or ends the node's does not reach it.
      detached: true,
    });
    child.on('error', () => {});
    // What it has said is read by then.
    child.on('close', () => {
      if (this.#child !== child) return;
      this.#child = undefined;
      for (const { resolve } of this.#asked.splice(0)) resolve();
    });
    child.stdin.on('error', () => {});
    createInterface({ input: child.stdout }).on('line', (line) => this.#hear(line as FromWarden));
    child.unref();
    for (const stream of [child.stdin, child.stdout]) (stream as { unref?: () => void }).unref?.();
    this.#child = child;
    if (child.pid === undefined) return;
    comesFirst(child.pid);
    writeFileSync(this.#options.pidFile, `${child.pid}\n`, { mode: 0o600 });
  }

  #hear(word: FromWarden): void {
    if (word === 'ending') this.#times += 1;
    if (word === 'known') this.#asked.shift()?.resolve();
    else this.#options.told(word);
  }

  #tell(message: ToWarden): void {
    if (this.#child?.stdin?.writable === true) this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }
}

/** By which its process is known. */
const title = 'spear-warden';

const highestPriority = -20;

/**
 * On a machine where everybody wants a processor it has to act within 0.3 s all the same. Only root may ask for that,
 * and Linux asks again for a session of its own (sched(7), "The autogroup feature").
 */
function comesFirst(pid: number): void {
  try {
    setPriority(pid, highestPriority);
    writeFileSync(`/proc/${pid}/autogroup`, `${highestPriority}`);
  } catch {
    // Then it has its turn as the others do.
  }
}

/** That of the run before lets go of its containers: this one follows them. */
function endEarlier(pidFile: string): void {
  try {
    const pid = Number(readFileSync(pidFile, 'utf8'));
    if (
      Number.isSafeInteger(pid) &&
      pid > 1 &&
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(title)
    ) {
      process.kill(pid, 'SIGTERM');
    }
  } catch {
    // There is none.
  }
}
