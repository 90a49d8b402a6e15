import type { JsonValue } from '../../../domain/execution.ts';
import type { WarmPolicy } from '../../../domain/task.ts';
import type { WitFunction } from '../../../domain/wit/types.ts';

/** How many jobs a guest host may be given at once. */
export const maxBatch = 32;

/** Bytes of JSON text that a typed function may return. */
export const maxResultBytes = 3 * 1024 * 1024;

/** What has become of a program that a host was asked to have ready. */
export type Notice =
  | { readonly program: number; readonly state: 'ready' }
  | { readonly program: number; readonly state: 'failed'; readonly reason: string }
  /** Its live instance has failed, or has served as often as it may. */
  | { readonly program: number; readonly state: 'spent' }
  /** Something that it opened on the network is not closed: the host can run nothing more. */
  | { readonly program: number; readonly state: 'worn' };

/** What of a node matters to its guests with a network; see docs/decisions/0032-network-list.md. */
export interface NetworkRules {
  /** All of them may reach loopback, but for the node's own ports. */
  readonly loopback: boolean;
  /** Ports of the node, refused at every address of the machine. */
  readonly ownPorts: readonly number[];
}

/** What a task runs, but for its code. */
export interface ProgramFacts {
  readonly key: number;
  readonly imports: readonly string[];
  /** The export `wasi:cli/run@…`, or empty. */
  readonly command: string;
  readonly functions: readonly WitFunction[];
  readonly name: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly preopens: Readonly<Record<string, string>>;
  /** They may be held by path where they cannot be held by descriptor. */
  readonly unsafePreopens: boolean;
  /** Files that it may have open at once; absent means the default of the file system. */
  readonly openFiles?: number;
  /** What it may reach, as a task's definition has it; empty means no network. */
  readonly network: readonly string[];
  readonly warm: WarmPolicy;
}

interface CoreFacts {
  readonly file: string;
  /** How often the component instantiates it. */
  readonly instances: number;
  /** Bytes that the memories of one instance may come to. */
  readonly memoryCap: number;
  /** Instantiating it calls no code of its own, and costs little time and memory. */
  readonly inert: boolean;
}

/** A task's program on the node's side. */
export interface Program extends ProgramFacts {
  /** It reaches nothing outside, so that running it twice cannot be noticed. */
  readonly pure: boolean;
  /** The transpiled component, a JavaScript module; empty for a core module, which runs as it is. */
  readonly source: Uint8Array;
  /** The core modules as the gate wrote them. */
  readonly cores: readonly (CoreFacts & { readonly bytes: Uint8Array })[];
}

/** A program as a host has it. */
export interface LoadableProgram extends ProgramFacts {
  readonly source: string;
  readonly cores: readonly (CoreFacts & { readonly bytes: Uint8Array })[];
}

export interface Job {
  /** Which job of this host it is. */
  readonly ticket: number;
  readonly program: number;
  /** Runs in the program's live instance and leaves it alive, where it ends well. */
  readonly reuse: boolean;
  /** The host says when it begins, and what processor time the process has used by then. */
  readonly timed: boolean;
  /** Empty for the command. */
  readonly functionName: string;
  readonly parameters: Readonly<Record<string, JsonValue>>;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** A live instance of other secrets than these is not used; empty means none. */
  readonly secrets: string;
}

/** The code of the host itself, its first message; the attachment is a JSON object of module texts by address. */
export interface CodeMessage {
  readonly kind: 'code';
  /** The address of the module to begin with. */
  readonly main: string;
  /** The host's own name. */
  readonly name: string;
  /** The file from which packages are looked up. */
  readonly packages: string;
  /** A `data:` URL of what guards the network; empty where guests have none. */
  readonly guards: string;
}

/** From the node to a host. */
export type HostMessage =
  /** What holds from now on; comes before each guest with a network. */
  | { readonly kind: 'network'; readonly rules: NetworkRules }
  /** Attached: its source, then its core modules in order; `lengths` are theirs. */
  | {
      readonly kind: 'program';
      readonly program: ProgramFacts;
      readonly cores: readonly CoreFacts[];
      readonly lengths: readonly number[];
    }
  /** Attached: the input. */
  | { readonly kind: 'job'; readonly job: Job }
  /** Load a program before it is needed, and keep an instance of it alive where `live`; answered by a notice. */
  | { readonly kind: 'prepare'; readonly program: number; readonly live: boolean }
  /** A program that need not be held any more. */
  | { readonly kind: 'dismiss'; readonly program: number };

/** The message that hands a program to a host, which sees the folders of its preopens at `preopens`. */
export function programMessage(
  program: Program,
  preopens: Readonly<Record<string, string>>,
): {
  readonly head: HostMessage;
  readonly attachments: readonly Uint8Array[];
} {
  const { source, cores, pure: _, ...facts } = program;
  const attachments = [source, ...cores.map(({ bytes }) => bytes)];
  const head: HostMessage = {
    kind: 'program',
    program: { ...facts, preopens },
    cores: cores.map(({ bytes: _, ...core }) => core),
    lengths: attachments.map(({ length }) => length),
  };
  return { head, attachments };
}
