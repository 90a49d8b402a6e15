/** Spawns programs in a process that does nothing else, and says how long each took: the limit for process tasks. */
import { type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';

export interface BareSpawn {
  readonly file: string;
  readonly args: readonly string[];
  readonly input: string;
  /** Opened for the program to write to, as descriptors from 3 on. */
  readonly files: readonly string[];
  /** Makes namespaces that are opened for it to read, mount and ipc, after them: see Room. */
  readonly room?: readonly string[];
}

process.on('message', async ({ file, args, input, files, room }: BareSpawn) => {
  const start = performance.now();
  const opened = [
    ...files.map((path) => openSync(path, 'w')),
    ...(room === undefined ? [] : await makeRoom(room)),
  ];
  const options: SpawnOptions = {
    env: {},
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', ...opened],
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

async function makeRoom([file = '', ...args]: readonly string[]): Promise<number[]> {
  const helper = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(helper.stdout, 'data');
  const held = ['mnt', 'ipc'].map((space) => openSync(`/proc/${helper.pid}/ns/${space}`, 'r'));
  helper.kill('SIGKILL');
  return held;
}
