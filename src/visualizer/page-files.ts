/** The files of the page, read once: they are a part of the program. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';

export interface PageFile {
  readonly contentType: string;
  /** In quotes, as HTTP has it. */
  readonly etag: string;
  readonly body: Buffer;
  readonly gzipped: Buffer;
}

const types = {
  'index.html': 'text/html; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
} as const;

/** By their paths on the server; `/` is the page itself. A file that was not built is not there. */
export async function loadPageFiles(
  folder = new URL('./gen/', import.meta.url),
): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>();
  for (const [name, contentType] of Object.entries(types)) {
    const body = await readFile(new URL(name, folder)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (body === undefined) continue;
    const gzipped = await promisify(gzip)(body, { level: constants.Z_BEST_COMPRESSION });
    const digest = createHash('sha256').update(body).digest('base64url').slice(0, 27);
    const file = { contentType, etag: `"${digest}"`, body, gzipped };
    files.set(`/${name}`, file);
    if (name === 'index.html') files.set('/', file);
  }
  return files;
}
