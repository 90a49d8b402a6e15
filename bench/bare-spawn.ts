/** Spawns programs in a process that does nothing else, and says how long each took: the limit for process tasks. */
import { type SpawnOptions, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

export interface BareSpawn {
  readonly file: string;
  readonly args: readonly string[];
  readonly input: string;
  /** Opened for the program to write to, as descriptors from 3 on. */
  readonly files: readonly string[];
  readonly identity?: { readonly uid: number; readonly gid: number };
}

process.on('message', ({ file, args, input, files, identity }: BareSpawn) => {
  const start = performance.now();
  const opened = files.map((path) => openSync(path, 'w'));
  const options: SpawnOptions = {
    env: {},
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', ...opened],
    ...identity,
  };
  const child = spawn(file, args, options);
  for (const fd of opened) closeSync(fd);
  let output = '';
  child.stdout?.on('data', (data: Buffer) => {
    output += data.toString();
  });
  child.stderr?.resume();
  child.stdin?.end(input);
  child.once('close', () => {
    process.send?.(output === input ? performance.now() - start : Number.NaN);
  });
});
