import { ftruncateSync, readFileSync, readSync, writeSync } from 'node:fs';
import { holdsDescriptors, type Reopen } from './anchor.ts';
import { FileHandle, type Handles } from './handles.ts';
import { type Access, hostFlags } from './open-flags.ts';
import { attempt } from './os-error.ts';
import { FileError, type FileFlags, maxTransfer, type OpenFile, type Whence } from './port.ts';

/** The end of what a file can hold here: offsets go to the system as doubles. */
const maxSize = BigInt(Number.MAX_SAFE_INTEGER);
const maxOffset = 2n ** 63n - 1n;

/** A regular file. Node has no lseek, so the position is kept here, but where the system appends. */
export class RegularFile extends FileHandle implements OpenFile {
  readonly kind = 'file';
  readonly type = 'regular-file';
  readonly #access: Access;
  readonly #reopen: Reopen;
  #flags: FileFlags;
  /** Undefined after the system appended and moved its own position. */
  #position: number | undefined = 0;

  constructor(fd: number, handles: Handles, access: Access, flags: FileFlags, reopen: Reopen) {
    super(fd, handles);
    this.#access = access;
    this.#flags = flags;
    this.#reopen = reopen;
  }

  get readable(): boolean {
    return this.#access.read;
  }

  get writable(): boolean {
    return this.#access.write;
  }

  get flags(): FileFlags {
    return this.#flags;
  }

  setFlags(flags: FileFlags): void {
    const { append, sync, datasync } = this.#flags;
    if (flags.append !== append || flags.sync !== sync || flags.datasync !== datasync) {
      this.#position = this.#current();
      this.replace(this.#reopen(this.fd, hostFlags(this.#access, flags)));
    }
    this.#flags = flags;
  }

  reopen(flags: FileFlags): RegularFile {
    this.handles.checkRoom();
    const fd = this.#reopen(this.fd, hostFlags(this.#access, flags));
    return new RegularFile(fd, this.handles, this.#access, flags, this.#reopen);
  }

  read(into: Uint8Array): number {
    const position = this.#current();
    const count = this.#readAt(into, position);
    this.#position = position + count;
    return count;
  }

  pread(into: Uint8Array, offset: bigint): number {
    if (offset > maxOffset) throw new FileError('EINVAL');
    // Nothing is there.
    return this.#readAt(into, offset > maxSize ? Number.MAX_SAFE_INTEGER : Number(offset));
  }

  write(bytes: Uint8Array): number {
    if (!this.#flags.append) {
      const position = this.#current();
      const count = this.#writeAt(bytes, position);
      this.#position = position + count;
      return count;
    }
    const count = this.#writeAt(bytes, null);
    if (count > 0) this.#position = undefined;
    return count;
  }

  pwrite(bytes: Uint8Array, offset: bigint): number {
    if (offset > maxOffset) throw new FileError('EINVAL');
    if (offset > maxSize) throw new FileError('EFBIG');
    return this.#writeAt(bytes, Number(offset));
  }

  seek(offset: bigint, whence: Whence): bigint {
    const base = whence === 'start' ? 0n : whence === 'end' ? this.stats().size : BigInt(this.#current());
    const position = base + offset;
    if (position < 0n) throw new FileError('EINVAL');
    if (position > maxSize) throw new FileError('EOVERFLOW');
    this.#position = Number(position);
    return position;
  }

  tell(): bigint {
    return BigInt(this.#current());
  }

  truncate(size: bigint): void {
    if (!this.#access.write) throw new FileError('EINVAL');
    if (size > maxSize) throw new FileError('EFBIG');
    const { fd } = this;
    attempt(() => ftruncateSync(fd, Number(size)));
  }

  allocate(offset: bigint, length: bigint): void {
    if (!this.#access.write) throw new FileError('EBADF');
    if (length === 0n) throw new FileError('EINVAL');
    const size = offset + length;
    if (size > this.stats().size) this.truncate(size);
  }

  advise(offset: bigint, length: bigint): void {
    if (offset > maxOffset || length > maxOffset) throw new FileError('EINVAL');
    this.stats();
  }

  #readAt(into: Uint8Array, position: number): number {
    const { fd } = this;
    if (!this.#access.read) throw new FileError('EBADF');
    return attempt(() => readSync(fd, into, 0, Math.min(into.length, maxTransfer), position));
  }

  #writeAt(bytes: Uint8Array, position: number | null): number {
    const { fd } = this;
    if (!this.#access.write) throw new FileError('EBADF');
    const count = Math.min(bytes.length, maxTransfer);
    if (position !== null && position + count > Number.MAX_SAFE_INTEGER) throw new FileError('EFBIG');
    return attempt(() => writeSync(fd, bytes, 0, count, position));
  }

  #current(): number {
    this.#position ??= this.#afterAppend();
    return this.#position;
  }

  /** Where the last record ends; without /proc, where the file ends, which others may have moved on. */
  #afterAppend(): number {
    if (!holdsDescriptors) return Number(this.stats().size);
    const info = attempt(() => readFileSync(`/proc/self/fdinfo/${this.fd}`, 'latin1'));
    return Number(/^pos:\s*(\d+)/.exec(info)?.[1]);
  }
}
