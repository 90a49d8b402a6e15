/** What a node and its spawner say to each other, over the channel that Node makes between them. */

/** How a program is started. */
export interface SpawnRequest {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Absent means the node's own. */
  readonly identity?: { readonly uid: number; readonly gid: number };
  /**
   * Files that are opened for it to write to, as descriptors from 3 on; after them come the marker, the two
   * namespaces of its room, and the file that it reads.
   */
  readonly joins: readonly string[];
  /** Descriptors of a room's namespaces, mount and ipc: of a new room of this kind, made by the command. */
  readonly room?: readonly string[];
  /** A file that is opened for it to read. */
  readonly reads?: string;
}

export type ToSpawner =
  | {
      readonly type: 'begin';
      /** Where it connects to, for each stream of a program; as seen from its working directory. */
      readonly address: string;
      readonly token: string;
      /** A folder for files that have no name for longer than it takes to open them. */
      readonly markers: string;
      /** The command that makes a room of the kind that is kept ready; absent where there are none. */
      readonly room?: readonly string[];
    }
  /** It connects the streams of a set. */
  | { readonly type: 'prepare'; readonly streams: number }
  /** It lets go of a set that did not arrive. */
  | { readonly type: 'drop'; readonly streams: number }
  /** `streams` is the set of streams that it gets. */
  | { readonly type: 'spawn'; readonly streams: number; readonly request: SpawnRequest }
  /** It says `pong`. */
  | { readonly type: 'ping' };

export type FromSpawner =
  | { readonly type: 'started'; readonly streams: number; readonly pid: number }
  /** `code` is the system's, such as `EAGAIN`. */
  | { readonly type: 'failed'; readonly streams: number; readonly code: string }
  | {
      readonly type: 'exited';
      readonly streams: number;
      readonly code: number | null;
      readonly signal: NodeJS.Signals | null;
      /** What stands in the marker: see exit-report.ts. */
      readonly mark: string;
    }
  | { readonly type: 'pong' };

/**
 * Which stream a connection is, told in its first bytes: the token of 32 characters, the set in 10 digits, and 0, 1 or
 * 2 for stdin, stdout or stderr; with a space between, and a line feed at the end.
 */
export const greetingLength = 32 + 1 + 10 + 1 + 1 + 1;

/** The set and the index, or undefined where it is no greeting with this token. */
export function readGreeting(
  token: string,
  text: string,
): { readonly streams: number; readonly index: number } | undefined {
  const [given, streams, index] = text.trimEnd().split(' ');
  if (given !== token || text.length !== greetingLength) return undefined;
  return { streams: Number(streams), index: Number(index) };
}
