/** The real `bin/spear` as a child process. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { inheritedEnvironment } from '../support/environment.ts';
import { launcher } from '../support/program-files.ts';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

interface RunOptions {
  /** The server, as SPEAR_ADDRESS. */
  readonly address?: string;
  /** Written to stdin, which is closed then. */
  readonly input?: Uint8Array;
  readonly program?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A command that is under way. */
export interface Running {
  readonly process: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
  /** Resolves when the text has been written to either stream; rejects where the command ends without it. */
  says(text: string): Promise<void>;
}

export function start(args: readonly string[], options: RunOptions = {}): Running {
  const { address, input, program = launcher, env = {}, cwd } = options;
  const child = spawn(program, args, {
    env: { ...inheritedEnvironment(), ...(address !== undefined && { SPEAR_ADDRESS: address }), ...env },
    ...(cwd !== undefined && { cwd }),
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const listeners = new Set<() => void>();
  const collect = (parts: Buffer[]) => (part: Buffer) => {
    parts.push(part);
    for (const listener of listeners) listener();
  };
  child.stdout.on('data', collect(stdout));
  child.stderr.on('data', collect(stderr));
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => {
      resolve({ code, signal, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() });
    });
  });
  return {
    process: child,
    ended,
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (Buffer.concat([...stdout, ...stderr]).includes(text)) resolve();
        };
        listeners.add(look);
        look();
        void ended.then(({ stderr: said }) => reject(new Error(`ended without saying ${text}: ${said}`)));
      }),
  };
}

export function run(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return start(args, options).ended;
}

/** A folder that goes when the test has finished. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'spear-cli-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The one line that an error is. */
export function errorLine({ stderr }: Ended): string {
  const lines = stderr.trimEnd().split('\n');
  if (lines.length !== 1) throw new Error(`wanted one line, and stderr is:\n${stderr}`);
  return lines[0] ?? '';
}
