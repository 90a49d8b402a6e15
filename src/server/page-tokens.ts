/**
 * Where a list goes on, as its caller keeps it: what the page before ended with, sealed. It may be the id of something
 * that the caller does not see, where a list was left in the middle of what is out of scope.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { invalidArgument } from '../domain/errors.ts';

/** A list that comes in pages. A token of one list is refused by the other. */
export type PagedList =
  | 'executions'
  | 'tasks'
  | 'revisions'
  | 'deliveries'
  | 'schedules'
  | 'batches'
  | 'batchMembers';

const cipher = 'aes-256-gcm';
/** NIST SP 800-38D, 8.2: 96 bits, at random. */
const nonceBytes = 12;
const tagBytes = 16;
const mostLength = 1024;

export class PageTokens {
  readonly #key: Uint8Array;

  /** `key` has 32 bytes. */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  seal(list: PagedList, last: string): string {
    const nonce = randomBytes(nonceBytes);
    const sealing = createCipheriv(cipher, this.#key, nonce).setAAD(Buffer.from(list));
    const text = Buffer.concat([sealing.update(last, 'utf8'), sealing.final()]);
    return Buffer.concat([nonce, text, sealing.getAuthTag()]).toString('base64url');
  }

  /** Empty for an empty one: the first page. Throws invalid_argument for what this node did not give for this list. */
  open(list: PagedList, token: string): string {
    if (token === '') return '';
    const last = token.length > mostLength ? undefined : (this.#opened(list, token) ?? plain(list, token));
    if (last !== undefined) return last;
    throw invalidArgument(
      'page_token',
      'is not a token of this method; allowed is next_page_token of the page before, or none to begin anew',
    );
  }

  #opened(list: PagedList, token: string): string | undefined {
    const bytes = Buffer.from(token, 'base64url');
    if (bytes.byteLength < nonceBytes + tagBytes) return undefined;
    const options = { authTagLength: tagBytes };
    const opening = createDecipheriv(cipher, this.#key, bytes.subarray(0, nonceBytes), options)
      .setAAD(Buffer.from(list))
      .setAuthTag(bytes.subarray(-tagBytes));
    try {
      const text = opening.update(bytes.subarray(nonceBytes, -tagBytes));
      return Buffer.concat([text, opening.final()]).toString();
    } catch {
      // Of another list, of another key, or made up.
      return undefined;
    }
  }
}

/** As versions before gave it: whoever made one up names a place that they know. */
function plain(list: PagedList, token: string): string | undefined {
  const text = Buffer.from(token, 'base64url').toString();
  return text.startsWith(`${list}:`) ? text.slice(list.length + 1) : undefined;
}
