import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from './artifacts.ts';
import { StoreError } from './store.ts';

const name = 'images.json';
const version = 1;

interface Document {
  readonly version: typeof version;
  /** Tenants by image. */
  readonly images: Readonly<Record<string, readonly string[]>>;
}

/** Rejects with StoreError where the file cannot be read, or is not one of ours: whose an image is has to be known. */
export async function openFetchedImages(dataDir: string): Promise<FetchedImagesFile> {
  const path = join(dataDir, name);
  try {
    return new FetchedImagesFile(dataDir, await read(path));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError(`cannot use ${path}: ${why}`, { cause });
  }
}

/** Which tenants have fetched which images of a container engine, in a file of the data folder. */
export class FetchedImagesFile {
  readonly #dataDir: string;
  readonly #images: Map<string, readonly string[]>;
  #last: Promise<void> = Promise.resolve();

  constructor(dataDir: string, images: Map<string, readonly string[]>) {
    this.#dataDir = dataDir;
    this.#images = images;
  }

  isFor(tenant: string, imageId: string): boolean {
    return this.#images.get(imageId)?.includes(tenant) ?? true;
  }

  /** Rejects with StoreError where it could not be written; then it counts all the same, for this run of the node. */
  async note(tenant: string, imageId: string, wasThere: boolean): Promise<void> {
    const tenants = this.#images.get(imageId);
    if (tenants === undefined && wasThere) return;
    if (tenants?.includes(tenant)) return;
    this.#images.set(imageId, [...(tenants ?? []), tenant]);
    this.#last = this.#last.catch(() => {}).then(() => this.#write());
    await this.#last;
  }

  async #write(): Promise<void> {
    const path = join(this.#dataDir, name);
    const document: Document = { version, images: Object.fromEntries(this.#images) };
    try {
      const file = await open(`${path}.new`, 'w', 0o600);
      try {
        await file.writeFile(JSON.stringify(document));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(`${path}.new`, path);
      await syncFolder(this.#dataDir);
    } catch (cause) {
      throw new StoreError(`cannot write ${path}`, { cause });
    }
  }
}

async function read(path: string): Promise<Map<string, readonly string[]>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Map();
    throw error;
  }
  const document: unknown = JSON.parse(text);
  if (!isDocument(document)) throw new Error(`it is not of version ${version}`);
  return new Map(Object.entries(document.images));
}

function isDocument(value: unknown): value is Document {
  if (typeof value !== 'object' || value === null) return false;
  if (!('version' in value) || value.version !== version || !('images' in value)) return false;
  const { images } = value;
  if (typeof images !== 'object' || images === null) return false;
  return Object.values(images).every(
    (tenants: unknown) => Array.isArray(tenants) && tenants.every((tenant) => typeof tenant === 'string'),
  );
}
