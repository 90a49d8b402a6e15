import { bytesOf, textOf } from '../../files/names.ts';
import {
  type Directory,
  type DirectoryEntry,
  FileError,
  type FileSystem,
  type FileType,
  maxTransfer,
  type OpenFile,
} from '../../files/port.ts';
import { createFileStreams, SharedFile } from './file-streams.ts';
import {
  answering,
  type DescriptorFlags,
  descriptorStat,
  type NewTimestamp,
  newTime,
  type OpenFlags,
  type PathFlags,
} from './filesystem-words.ts';
import type { GuestIo } from './io.ts';

/** `.` and `..`, which the interface leaves out. */
const afterDots = 2n;
const here = Buffer.from('.');

/** `wasi:filesystem` over the files of one guest. Names are text as `files/names.ts` says. */
export function createFilesystem(io: GuestIo, files: FileSystem) {
  const streams = createFileStreams(io);

  class Descriptor {
    readonly #shared: SharedFile | Directory;
    readonly #flags: DescriptorFlags;
    readonly #release: () => void;

    constructor(shared: SharedFile | Directory, flags: DescriptorFlags, release: () => void) {
      this.#shared = shared;
      this.#flags = flags;
      this.#release = release;
    }

    readViaStream(offset: bigint) {
      return answering(() => streams.read(this.#readable(), offset));
    }

    writeViaStream(offset: bigint) {
      return answering(() => streams.write(this.#writable(), offset));
    }

    appendViaStream() {
      return answering(() => streams.append(this.#writable()));
    }

    advise(offset: bigint, length: bigint): void {
      answering(() => this.#file().advise(offset, length));
    }

    syncData(): void {
      answering(() => this.#handle().datasync());
    }

    sync(): void {
      answering(() => this.#handle().sync());
    }

    getFlags(): DescriptorFlags {
      return this.#flags;
    }

    getType(): FileType {
      return answering(() => this.#handle().stat().type);
    }

    setSize(size: bigint): void {
      answering(() => this.#file().truncate(size));
    }

    setTimes(accessed: NewTimestamp, modified: NewTimestamp): void {
      answering(() => this.#handle().setTimes(newTime(accessed), newTime(modified)));
    }

    read(length: bigint, offset: bigint): [Uint8Array, boolean] {
      const into = new Uint8Array(length < BigInt(maxTransfer) ? Number(length) : maxTransfer);
      const count = answering(() => this.#file().pread(into, offset));
      return [into.subarray(0, count), count === 0 && length > 0n];
    }

    write(bytes: Uint8Array, offset: bigint): bigint {
      return answering(() => BigInt(this.#file().pwrite(bytes, offset)));
    }

    readDirectory(): DirectoryEntryStream {
      return answering(() => new DirectoryEntryStream(this.#directory()));
    }

    createDirectoryAt(path: string): void {
      answering(() => this.#directory().makeDirectory(bytesOf(path)));
    }

    stat() {
      return answering(() => descriptorStat(this.#handle().stat()));
    }

    statAt({ symlinkFollow = false }: PathFlags, path: string) {
      return answering(() => descriptorStat(this.#directory().statAt(bytesOf(path), symlinkFollow)));
    }

    setTimesAt(flags: PathFlags, path: string, accessed: NewTimestamp, modified: NewTimestamp): void {
      const { symlinkFollow = false } = flags;
      answering(() =>
        this.#directory().setTimesAt(bytesOf(path), symlinkFollow, newTime(accessed), newTime(modified)),
      );
    }

    linkAt({ symlinkFollow = false }: PathFlags, from: string, target: Descriptor, to: string): void {
      answering(() => this.#directory().link(bytesOf(from), symlinkFollow, target.#directory(), bytesOf(to)));
    }

    openAt(
      { symlinkFollow = false }: PathFlags,
      path: string,
      openFlags: OpenFlags,
      flags: DescriptorFlags,
    ): Descriptor {
      if (flags.requestedWriteSync === true) throw 'unsupported';
      const { read = false, write = false } = flags;
      const options = {
        ...openFlags,
        read,
        write,
        follow: symlinkFollow,
        sync: flags.fileIntegritySync ?? false,
        datasync: flags.dataIntegritySync ?? false,
      };
      return answering(() => descriptorOf(this.#directory().open(bytesOf(path), options), flags));
    }

    readlinkAt(path: string): string {
      return answering(() => textOf(this.#directory().readlink(bytesOf(path))));
    }

    removeDirectoryAt(path: string): void {
      answering(() => this.#directory().removeDirectory(bytesOf(path)));
    }

    renameAt(from: string, target: Descriptor, to: string): void {
      answering(() => this.#directory().rename(bytesOf(from), target.#directory(), bytesOf(to)));
    }

    symlinkAt(target: string, path: string): void {
      answering(() => this.#directory().symlink(bytesOf(target), bytesOf(path)));
    }

    unlinkFileAt(path: string): void {
      answering(() => this.#directory().unlink(bytesOf(path)));
    }

    isSameObject(other: Descriptor): boolean {
      return answering(() => {
        const one = this.#handle().stat();
        const two = other.#handle().stat();
        return one.device === two.device && one.inode === two.inode;
      });
    }

    /** Device and inode, which stay, as wasi-libc takes this for the number of a file. */
    metadataHash() {
      return answering(() => hashOf(this.#handle().stat()));
    }

    metadataHashAt({ symlinkFollow = false }: PathFlags, path: string) {
      return answering(() => hashOf(this.#directory().statAt(bytesOf(path), symlinkFollow)));
    }

    [Symbol.dispose](): void {
      this.#release();
    }

    #handle(): OpenFile | Directory {
      return this.#shared instanceof SharedFile ? this.#shared.file : this.#shared;
    }

    #directory(): Directory {
      if (this.#shared instanceof SharedFile) throw new FileError('ENOTDIR');
      return this.#shared;
    }

    #sharedFile(): SharedFile {
      if (this.#shared instanceof SharedFile) return this.#shared;
      throw new FileError('EBADF');
    }

    #file(): OpenFile {
      return this.#sharedFile().file;
    }

    #readable(): SharedFile {
      const shared = this.#sharedFile();
      if (!shared.file.readable) throw new FileError('EBADF');
      return shared;
    }

    #writable(): SharedFile {
      const shared = this.#sharedFile();
      if (!shared.file.writable) throw new FileError('EBADF');
      return shared;
    }
  }

  /** Reads with a handle of its own, so that several listings of a directory do not disturb each other. */
  class DirectoryEntryStream {
    readonly #handle: Directory;
    readonly #entries: Iterator<DirectoryEntry>;

    constructor(directory: Directory) {
      const opened = directory.open(here, { directory: true, read: true });
      if (opened.kind !== 'directory') throw new FileError('ENOTDIR');
      this.#handle = opened;
      this.#entries = opened.entries(afterDots)[Symbol.iterator]();
    }

    readDirectoryEntry(): { type: FileType; name: string } | undefined {
      const next = answering(() => this.#entries.next());
      return next.done === true ? undefined : { type: next.value.type, name: textOf(next.value.name) };
    }

    [Symbol.dispose](): void {
      this.#handle.close();
    }
  }

  function descriptorOf(opened: OpenFile | Directory, flags: DescriptorFlags): Descriptor {
    if (opened.kind === 'directory') return new Descriptor(opened, flags, () => opened.close());
    const shared = new SharedFile(opened);
    return new Descriptor(shared, flags, () => shared.release());
  }

  return {
    'wasi:filesystem/preopens': {
      // Asked for more than once, so a guest that drops one closes nothing.
      getDirectories: () =>
        files.preopens.map(({ path, directory }): [Descriptor, string] => [
          new Descriptor(directory, { read: true, mutateDirectory: true }, () => {}),
          path,
        ]),
    },
    'wasi:filesystem/types': {
      Descriptor,
      DirectoryEntryStream,
      filesystemErrorCode: streams.codeOf,
    },
  };
}

function hashOf({ device, inode }: { readonly device: bigint; readonly inode: bigint }) {
  return { lower: inode, upper: device };
}
