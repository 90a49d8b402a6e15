import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Anchor, anchorOf, pathAnchorOf } from '../../../../src/runtimes/wasm/files/anchor.ts';
import { createFileSystem, type FileSystemOptions } from '../../../../src/runtimes/wasm/files/file-system.ts';
import {
  type Directory,
  FileError,
  type FileSystem,
  type OpenFile,
  type OpenOptions,
} from '../../../../src/runtimes/wasm/files/port.ts';

/** The two ways in which a folder of the host is held. */
export const holds: readonly (readonly [string, (hostPath: string) => Anchor])[] = [
  ['by descriptor', anchorOf],
  ['by path', pathAnchorOf],
];

/** A folder of the host, a guest that has it as `/data`, and what lies outside it. */
export class Folder {
  readonly outer = mkdtempSync(join(tmpdir(), 'spear-files-'));
  readonly path = join(this.outer, 'data');
  readonly outside = join(this.outer, 'outside');
  readonly #systems: FileSystem[] = [];
  #root: Directory | undefined;
  readonly #options: Partial<FileSystemOptions>;

  constructor(options: Partial<FileSystemOptions> = {}) {
    this.#options = options;
    mkdirSync(this.path);
    mkdirSync(this.outside);
  }

  /** The preopen of one guest. */
  get root(): Directory {
    this.#root ??= this.guest().preopens[0]?.directory;
    if (this.#root === undefined) throw new Error('no preopen');
    return this.#root;
  }

  /** One more guest. */
  guest(options: Partial<FileSystemOptions> = {}): FileSystem {
    const system = createFileSystem({ preopens: { '/data': this.path }, ...this.#options, ...options });
    this.#systems.push(system);
    return system;
  }

  file(path: string, options: OpenOptions = { read: true }, from = this.root): OpenFile {
    const opened = from.open(bytes(path), { follow: true, ...options });
    if (opened.kind !== 'file') throw new Error(`${path} is a directory`);
    return opened;
  }

  directory(path: string, from = this.root): Directory {
    const opened = from.open(bytes(path), { follow: true, directory: true });
    if (opened.kind !== 'directory') throw new Error(`${path} is a file`);
    return opened;
  }

  write(path: string, text: string, options: OpenOptions = {}): void {
    const file = this.file(path, { write: true, create: true, ...options });
    file.write(bytes(text));
    file.close();
  }

  read(path: string, from = this.root): string {
    const file = this.file(path, { read: true }, from);
    try {
      return readAll(file);
    } finally {
      file.close();
    }
  }

  remove(): void {
    for (const system of this.#systems) system.close();
    rmSync(this.outer, { recursive: true, force: true });
  }
}

export function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

export function readAll(file: OpenFile): string {
  const parts: Buffer[] = [];
  for (;;) {
    const part = Buffer.alloc(64 * 1024);
    const count = file.read(part);
    if (count === 0) return Buffer.concat(parts).toString();
    parts.push(part.subarray(0, count));
  }
}

export function names(directory: Directory): string[] {
  return [...directory.entries(0n)].map(({ name }) => Buffer.from(name).toString('latin1'));
}

/** The error number that a call ends with; empty where it succeeds. */
export function errnoOf(call: () => unknown): string {
  try {
    call();
    return '';
  } catch (error) {
    if (error instanceof FileError) return error.errno;
    throw error;
  }
}
