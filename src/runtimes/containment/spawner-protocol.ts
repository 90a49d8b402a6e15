/** What a node and its spawner say to each other, over the channel that Node makes between them. */

/** How a program is started. */
export interface SpawnRequest {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Absent means the node's own. */
  readonly identity?: { readonly uid: number; readonly gid: number };
  /** Files that are opened for it to write to, as descriptors from 3 on; after them comes the marker. */
  readonly joins: readonly string[];
}

export type ToSpawner =
  | {
      readonly type: 'begin';
      /** Where it connects to, for each stream of a program. */
      readonly address: string;
      readonly token: string;
      /** A folder for files that have no name for longer than it takes to open them. */
      readonly markers: string;
      /** Sets of streams that wait for a program. */
      readonly spare: number;
    }
  /** `streams` is the set of streams that it gets. */
  | { readonly type: 'spawn'; readonly streams: number; readonly request: SpawnRequest };

export type FromSpawner =
  | { readonly type: 'started'; readonly streams: number; readonly pid: number }
  /** `code` is the system's, such as `EAGAIN`. */
  | { readonly type: 'failed'; readonly streams: number; readonly code: string }
  | {
      readonly type: 'exited';
      readonly streams: number;
      readonly code: number | null;
      readonly signal: NodeJS.Signals | null;
      /** What stands in the marker: how far a launcher came that did not become its program. */
      readonly stage: string;
    };

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
