import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';

const buffer = Buffer.alloc(4096);

/** A small cgroup file that is looked at in each run: it stays open, because opening costs more than reading. */
export class ControlFile {
  readonly #path: string;
  readonly #flags: number;
  #fd = -1;

  constructor(path: string, access: 'read' | 'write' | 'both') {
    const { O_RDONLY, O_WRONLY, O_RDWR } = constants;
    this.#path = path;
    this.#flags = access === 'read' ? O_RDONLY : access === 'write' ? O_WRONLY : O_RDWR;
  }

  /** Opens it, so that it needs no descriptor when there may be none. */
  prepare(): void {
    this.#open();
  }

  /** At most 4 KiB of it. Throws as the file system does. */
  read(): string {
    const length = readSync(this.#open(), buffer, 0, buffer.length, 0);
    return buffer.toString('latin1', 0, length);
  }

  /**
   * What is in it now, at most 4 KiB. Version 1 keeps the list of a cgroup's processes for a second with the
   * descriptor that it was read through, and for longer where it is read again meanwhile. Needs no further descriptor.
   */
  readFresh(): string {
    this.close();
    return this.read();
  }

  /** The number after `key` at the start of a line; 0 where there is none. */
  readKey(key: string): number {
    for (const line of this.read().split('\n')) {
      if (line.startsWith(`${key} `)) return Number(line.slice(key.length + 1));
    }
    return 0;
  }

  write(text: string): void {
    writeSync(this.#open(), text);
  }

  close(): void {
    if (this.#fd !== -1) closeSync(this.#fd);
    this.#fd = -1;
  }

  #open(): number {
    if (this.#fd === -1) this.#fd = openSync(this.#path, this.#flags);
    return this.#fd;
  }
}
