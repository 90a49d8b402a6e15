import { type ChildProcess, spawn } from 'node:child_process';
import { commandEnvironment } from '../command.ts';
import { type Remains, sweepScript } from './sweep.ts';

/** It ends without doing anything where it is told so; a pipe that ends untold means that the node is dead. */
const watchdogScript = `read -r word && exit 0\n${sweepScript}`;

/**
 * A small process that outlives the node, whatever kills it, and then ends what the node was running. In a session
 * of its own, so that a Ctrl-C in the node's terminal does not reach it.
 */
export class Watchdog {
  readonly #remains: Remains;
  #child: ChildProcess | undefined;

  constructor(remains: Remains) {
    this.#remains = remains;
  }

  /** Starts it where it does not run. Throws where it cannot be started. */
  watch(): void {
    if (this.#child !== undefined) return;
    const { scratch, cgroups } = this.#remains;
    const child = spawn('/bin/sh', ['-c', watchdogScript, 'sh', scratch, ...cgroups], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: commandEnvironment,
      cwd: '/',
      detached: true,
    });
    if (child.pid === undefined) {
      child.on('error', () => {});
      throw new Error('the watchdog could not be started');
    }
    // One that is killed is started again with the next launch.
    child.on('exit', () => {
      if (this.#child === child) this.#child = undefined;
    });
    child.stdin.on('error', () => {});
    child.unref();
    this.#child = child;
  }

  /** Ends it; what is left, if anything, it does not touch. */
  async close(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    child.on('exit', () => resolve());
    child.ref();
    child.stdin?.end('done\n');
    await promise;
  }
}
