import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** A file on its way to whoever asked for it, at that one's pace. */
export class Download {
  readonly #response: ServerResponse;

  /** Sends the head of the response. */
  constructor(
    response: ServerResponse,
    { contentType, fileName }: { readonly contentType: string; readonly fileName: string },
  ) {
    this.#response = response;
    response.writeHead(200, {
      'content-type': contentType,
      'content-disposition': `attachment; filename="${fileName}"`,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
  }

  /** A promise means wait before the next. */
  write(data: string | Uint8Array): Promise<void> | undefined {
    if (this.#response.destroyed || this.#response.write(data)) return undefined;
    return writable(this.#response);
  }

  end(): void {
    this.#response.end();
  }
}

/** Resolves when the response takes more, or never will. */
export async function writable(response: ServerResponse): Promise<void> {
  const settled = new AbortController();
  const { signal } = settled;
  const events = ['drain', 'close'].map((event) => once(response, event, { signal }).catch(() => undefined));
  await Promise.race(events);
  settled.abort();
}
