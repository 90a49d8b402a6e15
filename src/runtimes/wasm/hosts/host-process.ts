import type { Duplex } from 'node:stream';

/** What a guest host may reach, as far as the processes of tasks differ in it. */
export interface HostProfile {
  /** Guest path to host path. */
  readonly preopens: Readonly<Record<string, string>>;
  readonly network: boolean;
  /** Packages that the host's own code imports; where there are walls it can read these and what they depend on. */
  readonly packages: readonly string[];
}

/** What a guest host is started for. */
export interface HostProgram {
  /** The JavaScript module that it begins with. */
  readonly text: string;
  /** Of Node. */
  readonly flags: readonly string[];
  readonly profile: HostProfile;
}

/** How the process of a guest host ended. */
export interface HostExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** The end of what it printed on its standard error. */
  readonly words: string;
  /** Something of it was killed for want of memory. */
  readonly ranOutOfMemory: boolean;
  /** Why it never ran. */
  readonly failed?: { readonly code: 'START_FAILED' | 'RUNTIME_UNAVAILABLE'; readonly message: string };
}

/** Below this much, what is written goes as one write, which is one system call. */
const joinBytes = 64 * 1024;

/** The node's end of a host's socket, which may be there only later; errors are for the end of the process to tell. */
export class HostSocket {
  #socket: Duplex | undefined;
  #unsent: Uint8Array[] = [];
  #paused = false;
  #hear: ((chunk: Buffer) => void) | undefined;

  /** Without a socket what is written is kept, until there is one or the process has ended. */
  open(socket: Duplex): void {
    this.#socket = socket;
    socket.on('error', () => {});
    this.write(this.#unsent.splice(0));
    this.#begin();
  }

  /** Called once. */
  listen(hear: (chunk: Buffer) => void): void {
    this.#hear = hear;
    this.#begin();
  }

  write(parts: readonly Uint8Array[]): void {
    const socket = this.#socket;
    if (socket === undefined) {
      this.#unsent.push(...parts);
      return;
    }
    if (socket.destroyed || parts.length === 0) return;
    const total = parts.reduce((sum, part) => sum + part.length, 0);
    if (total <= joinBytes && parts.length > 1) socket.write(Buffer.concat(parts, total));
    else for (const part of parts) socket.write(part);
  }

  pause(): void {
    this.#paused = true;
    this.#socket?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#socket?.resume();
  }

  /** Hears no more. */
  close(): void {
    this.#hear = () => {};
    this.#socket?.destroy();
  }

  #begin(): void {
    if (this.#socket === undefined || this.#hear === undefined) return;
    this.#socket.on('data', (chunk: Buffer) => this.#hear?.(chunk));
    if (this.#paused) this.#socket.pause();
  }
}

/** The process of one guest host. */
export interface HostProcess {
  readonly socket: HostSocket;
  /** Its folders as it sees them, by guest path. */
  readonly preopens: Readonly<Record<string, string>>;
  /** Resolves when nothing of it is left. */
  readonly exited: Promise<HostExit>;
  /** Ends all of it at once, whatever it does. */
  kill(): void;
  /** Microseconds of processor time that all of it has used; undefined where that cannot be known. */
  cpuTimeUs(): number | undefined;
  /** Whether others go before it where processors are short, from now on; nothing happens where that cannot be had. */
  setBackground(background: boolean): void;
  /** All of it may have so much memory from now on, in bytes; nothing happens where that cannot be held. */
  limitMemory(bytes: number): void;
}

/** Starts the processes of guest hosts. */
export interface HostLauncher {
  launch(program: HostProgram): HostProcess;
  /** Every host has ended. */
  close(): Promise<void>;
}

/** What follows Node in the command of a host, whose socket is on this descriptor. */
export function hostArguments({ text, flags }: HostProgram, descriptor: number): string[] {
  return ['--no-warnings', ...flags, '--input-type=module', '--eval', text, String(descriptor)];
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
