import { chmodSync, mkdirSync, statfsSync } from 'node:fs';
import { rm, rmdir, stat } from 'node:fs/promises';
import { findCommand, runCommand } from '../command.ts';

/** Where they are mounted, in the folder of a node. */
export const volumesName = 'volumes';

/** Bytes for each file that a volume has room for: what ext4 has by default, and a directory counts as a file. */
export const bytesPerFile = 16_384;

/** What ext4 needs beside what is written: tables of files, at 256 bytes each, and maps of what is free. */
function withTables(bytes: number): number {
  return Math.ceil((bytes * (1 + 1 / 32)) / 4096) * 4096 + 8 * 1024 * 1024;
}

/** An image that has grown beyond this gives what is not used any more back to the disk, in bytes. */
const keptBytes = 16 * 1024 * 1024;

/** Volumes that wait for the next instance, at most. */
const maxFree = 64;

/** Mounts in it are seen in rooms that were made before, because it hands them on, and to nobody else. */
const folderScript = `
mount -t tmpfs -o nosuid,nodev,mode=0711,size=1m spear "$1" &&
mount --make-private "$1" && mount --make-shared "$1"
`;

/** Without a journal: what is in it need not outlive the node. */
const templateScript = `
truncate -s "$2" "$1" && mke2fs -q -F -t ext4 -b 4096 -m 0 -I 256 -N "$3" \\
  -O ^has_journal,^resize_inode -E lazy_itable_init=1,nodiscard "$1"
`;

const volumeScript = `
cp --sparse=always -- "$1" "$2" &&
mount -t ext4 -o loop,noinit_itable,nosuid,nodev,noatime,errors=remount-ro "$2" "$3"
`;

/** A file system that one instance has at a time. */
export interface Volume {
  /** Only the node's user can write there, and list it. */
  readonly path: string;
  /** The file of the host that holds it. */
  readonly image: string;
  /** Files that it has room for while nothing is in it. */
  readonly freeFiles: number;
}

interface VolumesPlace {
  /** An empty folder that volumes are mounted in. */
  readonly folder: string;
  /** Where their images are; on the disk, and the node's alone. */
  readonly images: string;
  /** What one has room for. */
  readonly bytes: number;
}

/**
 * File systems of a fixed size in files of the host: whatever a program does in one, and hides there, takes no more of
 * the disk. They are kept for the next, as to make one takes some milliseconds. The node has to be root, and `sweep`
 * unmounts them.
 */
export class Volumes {
  readonly folder: string;
  readonly #images: string;
  readonly #free: Volume[] = [];
  #making: Promise<unknown> = Promise.resolve();
  #made = 0;

  private constructor({ folder, images }: VolumesPlace) {
    this.folder = folder;
    this.#images = images;
  }

  /** Has made one when it resolves, or says why there can be none. */
  static async make(place: VolumesPlace): Promise<Volumes | { readonly reason: string }> {
    const missing = ['mount', 'mke2fs', 'truncate', 'cp'].filter((name) => findCommand(name) === undefined);
    if (missing.length > 0) return { reason: `${missing.join(', ')} cannot be found` };
    const volumes = new Volumes(place);
    if (!(await script(folderScript, [place.folder]))) {
      return { reason: `nothing can be mounted at ${place.folder}` };
    }
    const size = [String(withTables(place.bytes)), String(Math.ceil(place.bytes / bytesPerFile) + 16)];
    if (!(await script(templateScript, [volumes.#template, ...size]))) {
      return { reason: `mke2fs cannot make an ext4 file system of ${place.bytes} bytes` };
    }
    try {
      volumes.#free.push(await volumes.#make());
      return volumes;
    } catch (error) {
      return { reason: error instanceof Error ? error.message : 'the system refused it' };
    }
  }

  get #template(): string {
    return `${this.#images}/volume`;
  }

  /** One that nobody has. Rejects where none can be made. */
  async take(): Promise<Volume> {
    const volume = this.#free.pop();
    if (volume !== undefined) return volume;
    // One after the other, for it may be that one comes back meanwhile.
    return this.#inTurn(async () => this.#free.pop() ?? this.#make());
  }

  /** As `take`, and one that nobody has had. */
  make(): Promise<Volume> {
    return this.#inTurn(() => this.#make());
  }

  #inTurn(making: () => Promise<Volume>): Promise<Volume> {
    const made = this.#making.then(making);
    this.#making = made.catch(() => {});
    return made;
  }

  /**
   * Nobody uses it any more, and no name is in it. It is used again only where nothing at all is: a file that has no
   * name is there for as long as a program that it was handed to holds it.
   */
  async putBack(volume: Volume): Promise<void> {
    if (this.#free.length >= maxFree || statfsSync(volume.path).ffree !== volume.freeFiles) {
      await this.remove(volume);
      return;
    }
    const { blocks } = await stat(volume.image);
    // Where the disk cannot take it back, the image stays as large as it was, which is at most what it may be.
    if (blocks * 512 > keptBytes) await runCommand('fstrim', [volume.path]);
    this.#free.push(volume);
  }

  /** It is not used again, whatever is in it. Resolves with whether it is gone. */
  async remove({ path, image }: Volume): Promise<boolean> {
    if (!(await runCommand('umount', ['-l', path]))) return false;
    await Promise.all([rm(image), rmdir(path)]);
    return true;
  }

  async #make(): Promise<Volume> {
    this.#made += 1;
    const path = `${this.folder}/${this.#made}`;
    const image = `${this.#template}-${this.#made}`;
    mkdirSync(path, { mode: 0o700 });
    if (!(await script(volumeScript, [this.#template, image, path]))) {
      await Promise.all([rm(image, { force: true }), rmdir(path).catch(() => {})]);
      throw new Error(`a file system in a file of ${this.#images} cannot be mounted`);
    }
    chmodSync(path, 0o711);
    return { path, image, freeFiles: statfsSync(path).ffree };
  }
}

function script(text: string, args: readonly string[]): Promise<boolean> {
  return runCommand('/bin/sh', ['-c', text, 'sh', ...args]);
}
