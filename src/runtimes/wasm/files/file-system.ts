import { type Anchor, anchorOf } from './anchor.ts';
import { GuestDirectory } from './directory.ts';
import { Handles } from './handles.ts';
import { FileError, type FileSystem, type Preopen } from './port.ts';

/** Files and directories that a guest may have open, preopens not counted; a task can say less. */
export const maxOpenFiles = 1024;

export interface FileSystemOptions {
  /** Absolute folders of the host by the absolute paths that the guest knows them by. */
  readonly preopens: Readonly<Record<string, string>>;
  readonly openFiles?: number | undefined;
  /** Holds a folder of the host; absent means by descriptor. */
  readonly hold?: (hostPath: string) => Anchor;
}

/** @throws Error that names the preopen, where its folder cannot be opened */
export function createFileSystem(options: FileSystemOptions): FileSystem {
  const { openFiles = maxOpenFiles, hold = anchorOf } = options;
  const entries = Object.entries(options.preopens).sort(([a], [b]) => (a < b ? -1 : 1));
  const handles = new Handles(openFiles + entries.length);
  const preopens: Preopen[] = [];
  try {
    for (const [path, hostPath] of entries) {
      preopens.push({ path, directory: new GuestDirectory(holdPreopen(path, hostPath, hold), handles) });
    }
  } catch (error) {
    handles.closeAll();
    throw error;
  }
  return { preopens, close: () => handles.closeAll() };
}

function holdPreopen(path: string, hostPath: string, hold: (hostPath: string) => Anchor): Anchor {
  try {
    return hold(hostPath);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new Error(`the folder of the host for the preopen ${JSON.stringify(path)}: ${error.errno}`);
  }
}
