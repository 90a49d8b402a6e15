import type { Duplex } from 'node:stream';

/** What a guest host may reach, as far as the processes of tasks differ in it. */
export interface HostProfile {
  /** Guest path to host path. */
  readonly preopens: Readonly<Record<string, string>>;
  readonly network: boolean;
}

/** How the process of a guest host ended. */
export interface HostExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** The end of what it printed on its standard error. */
  readonly words: string;
  /** Something of it was killed for want of memory. */
  readonly ranOutOfMemory: boolean;
  /** Why it never ran; the system's code, such as `EAGAIN`. */
  readonly failed?: string;
}

/** The process of one guest host. */
export interface HostProcess {
  /** Its socket, both ways. Never emits an error that nobody hears. */
  readonly socket: Duplex;
  /** Resolves when nothing of it is left. */
  readonly exited: Promise<HostExit>;
  /** Ends all of it at once, whatever it does. */
  kill(): void;
  /** Microseconds of processor time that all of it has used; undefined where that cannot be known. */
  cpuTimeUs(): number | undefined;
  /** All of it may have so much memory from now on, in bytes; nothing happens where that cannot be held. */
  limitMemory(bytes: number): void;
}

/** Starts the processes of guest hosts. */
export interface HostLauncher {
  /** @param text the JavaScript module that it begins with */
  launch(text: string, profile: HostProfile): HostProcess;
  /** Every host has ended. */
  close(): Promise<void>;
}

/**
 * Of JavaScript: the values that go in and out of a guest, and the host's own code. A guest's own memory is bounded by
 * the gate. The stack is as large as that of a thread of Node's, which recursion in guests was measured with.
 */
const hostFlags = [
  '--no-warnings',
  '--max-old-space-size=256',
  '--max-semi-space-size=16',
  '--input-type=module',
  '--eval',
];

/** The command of a host, whose socket is on this descriptor. */
export function hostCommand(text: string, descriptor: number): string[] {
  return [process.execPath, ...hostFlags, text, String(descriptor)];
}

/** What is kept of its standard error. */
const wordBytes = 4096;

/** Collects the end of what a host prints there. */
export class LastWords {
  #text = '';

  add(chunk: Buffer): void {
    this.#text = (this.#text + chunk.toString('latin1')).slice(-wordBytes);
  }

  get text(): string {
    return this.#text;
  }
}
