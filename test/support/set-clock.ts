import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** The wall clock of a server that is started with `env`; what it knows of time besides stays the machine's. */
export interface SettableClock {
  readonly env: Readonly<Record<string, string>>;
  /** Seconds that it is ahead of the machine's from now on. */
  set(seconds: number): void;
}

/** Needs faketime; `folder` is for what it makes. */
export async function settableClock(folder: string): Promise<SettableClock> {
  const path = join(folder, 'ahead');
  const library = await preloaded();
  const clock: SettableClock = {
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: path,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    set: (seconds) => writeFileSync(path, `${seconds < 0 ? '' : '+'}${seconds}\n`),
  };
  clock.set(0);
  return clock;
}

/**
 * The library that faketime loads. What it keeps in shared memory is named by its process id, and what one that was
 * killed has left keeps another with the same id from starting.
 */
async function preloaded(): Promise<string> {
  for (let tries = 1; ; tries++) {
    try {
      const { stdout } = await execute('faketime', ['-m', '-f', '+0', 'printenv', 'LD_PRELOAD']);
      return stdout.trim();
    } catch (error) {
      if (tries === 5) throw error;
    }
  }
}
