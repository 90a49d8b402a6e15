import { spawnSync } from 'node:child_process';
import { mkdtemp, open, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A file system of a few megabytes that goes when the test has finished. Needs root. */
export interface SmallDisk {
  readonly path: string;
  resize(megabytes: number): void;
  /** Lets nobody write any more. */
  makeReadOnly(): void;
  /**
   * Takes the room that is left now, as another program would, and not what somebody gives up meanwhile; undone by what
   * comes back.
   */
  fill(): Promise<() => Promise<void>>;
}

export async function smallDisk(megabytes: number): Promise<SmallDisk> {
  const path = await mkdtemp(join(tmpdir(), 'spear-disk-'));
  mount(['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path]);
  onTestFinished(async () => {
    spawnSync('umount', ['-l', path]);
    await rm(path, { recursive: true, force: true });
  });
  return {
    path,
    resize: (to) => mount(['-o', `remount,size=${to}m`, path]),
    makeReadOnly: () => mount(['-o', 'remount,ro', path]),
    async fill() {
      const filler = join(path, 'filler');
      const file = await open(filler, 'w');
      try {
        let left = await freeBytes(path);
        while (left > 0) {
          const free = await freeBytes(path);
          if (free === 0) break;
          const { bytesWritten } = await file.write(Buffer.alloc(Math.min(left, free, 1024 * 1024), 1));
          left -= bytesWritten;
        }
      } finally {
        await file.close();
      }
      return () => rm(filler);
    },
  };
}

async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

function mount(args: readonly string[]): void {
  const { status, error, stderr } = spawnSync('mount', [...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`cannot mount a small disk: ${error?.message ?? stderr}`);
}
