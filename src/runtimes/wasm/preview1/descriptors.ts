import type { Directory, OpenFile, Preopen } from '../files/port.ts';
import { CallError } from './errno.ts';
import { directoryRights, fileRights, inputRights, outputRights, rights, writingRights } from './rights.ts';

/** Standard input, output or error: a stream of the execution, not a file of the host. */
export interface StandardStream {
  readonly kind: 'stream';
  readonly stream: 'stdin' | 'stdout' | 'stderr';
}

export interface Descriptor {
  readonly node: OpenFile | Directory | StandardStream;
  /** What can be done with it, and with what is opened through it. */
  rights: number;
  inheriting: number;
  /** Of a standard stream: as they were set last; they change nothing. */
  streamFlags: number;
  /** The path that the guest knows it by, where it was there from the start. */
  readonly preopen?: Uint8Array;
}

/** Rights that a file has by the way it was opened: to lack one is EBADF, as in POSIX. */
const openedRights = writingRights | rights.fdRead;

/**
 * What the guest has open, by number. A new one gets the lowest number that is free, as in POSIX; how many there
 * can be at once is the file system's to say.
 */
export class DescriptorTable {
  readonly #entries: (Descriptor | undefined)[];
  #lowestFree: number;

  constructor(preopens: readonly Preopen[]) {
    this.#entries = [
      streamDescriptor('stdin', inputRights),
      streamDescriptor('stdout', outputRights),
      streamDescriptor('stderr', outputRights),
      ...preopens.map(preopenDescriptor),
    ];
    this.#lowestFree = this.#entries.length;
  }

  get(fd: number): Descriptor {
    const entry = this.#entries[fd];
    if (entry === undefined) throw new CallError('EBADF');
    return entry;
  }

  /** Whatever it is, for a call that needs `right`. */
  node(fd: number, right: number): Descriptor['node'] {
    const entry = this.get(fd);
    if ((entry.rights & right) === 0) {
      throw new CallError((openedRights & right) === 0 ? 'ENOTCAPABLE' : 'EBADF');
    }
    return entry.node;
  }

  /** What bytes can be read from or written to. */
  fileOrStream(fd: number, right: number): OpenFile | StandardStream {
    const { node } = this.get(fd);
    if (node.kind === 'directory') throw new CallError((writingRights & right) === 0 ? 'EISDIR' : 'EBADF');
    this.node(fd, right);
    return node;
  }

  /** What has a position and a size. */
  file(fd: number, right: number): OpenFile {
    if (this.get(fd).node.kind === 'stream') throw new CallError('ESPIPE');
    const node = this.fileOrStream(fd, right);
    if (node.kind === 'stream') throw new CallError('ESPIPE');
    return node;
  }

  /** What has times and can be synced; a stream answers as a pipe does. */
  stored(fd: number, right: number): OpenFile | Directory {
    const { node } = this.get(fd);
    if (node.kind === 'stream') throw new CallError('EINVAL');
    this.node(fd, right);
    return node;
  }

  directory(fd: number, right: number): Directory {
    const { node } = this.get(fd);
    if (node.kind !== 'directory') throw new CallError('ENOTDIR');
    this.node(fd, right);
    return node;
  }

  insert(descriptor: Descriptor): number {
    let fd = this.#lowestFree;
    while (this.#entries[fd] !== undefined) fd += 1;
    this.#entries[fd] = descriptor;
    this.#lowestFree = fd + 1;
    return fd;
  }

  close(fd: number): void {
    const { node } = this.get(fd);
    this.#remove(fd);
    if (node.kind !== 'stream') node.close();
  }

  /** Closes what is at `to` and puts what is at `from` in its place; both must be open. */
  renumber(from: number, to: number): void {
    const moved = this.get(from);
    const { node } = this.get(to);
    if (from === to) return;
    this.#entries[to] = moved;
    this.#remove(from);
    if (node.kind !== 'stream') node.close();
  }

  #remove(fd: number): void {
    this.#entries[fd] = undefined;
    this.#lowestFree = Math.min(this.#lowestFree, fd);
  }
}

function streamDescriptor(stream: StandardStream['stream'], streamRights: number): Descriptor {
  return { node: { kind: 'stream', stream }, rights: streamRights, inheriting: 0, streamFlags: 0 };
}

function preopenDescriptor({ path, directory }: Preopen): Descriptor {
  return {
    node: directory,
    rights: directoryRights,
    inheriting: directoryRights | fileRights,
    streamFlags: 0,
    preopen: Buffer.from(path),
  };
}
