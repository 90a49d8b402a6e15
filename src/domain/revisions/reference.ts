/** `NAME`, `NAME@3`, `NAME@ALIAS` or `NAME@newest`: a task, and which of its revisions is meant. */
import { invalidArgument, quote } from '../errors.ts';

/** What a plain name goes to where a task has an alias of this name. */
export const liveAlias = 'live';
/** The newest revision, whatever aliases there are; no alias has this name. */
export const newestWord = 'newest';

const aliasPattern = /^[a-z][a-z0-9._-]{0,62}$/;
export const aliasWords = `1 to 63 of a-z, 0-9, ".", "_" and "-", the first of them a letter, and not ${newestWord}`;
const numberPattern = /^[1-9][0-9]{0,9}$/;
const mostRevision = 2 ** 32 - 1;

/** Which revision of a task is meant: a number, an alias, the newest, or what its plain name goes to. */
export type RevisionWish = number | { readonly alias: string } | typeof newestWord | undefined;

export interface TaskReference {
  /** A name or an id. */
  readonly task: string;
  readonly revision: RevisionWish;
}

export function isAlias(text: string): boolean {
  return aliasPattern.test(text) && text !== newestWord;
}

/** Throws invalid_argument that names the field. */
export function checkAlias(field: string, text: string): string {
  if (isAlias(text)) return text;
  throw invalidArgument(field, `is ${quote(text)}; allowed are ${aliasWords}`);
}

/** No name and no id has an `@`. Throws invalid_argument that names the field. */
export function taskReference(field: string, text: string): TaskReference {
  const at = text.indexOf('@');
  if (at < 0) return { task: text, revision: undefined };
  if (at === 0) throw invalidArgument(field, `is ${quote(text)}; allowed before @ is a task`);
  return { task: text.slice(0, at), revision: revisionWish(field, text.slice(at + 1)) };
}

/** What stands behind the `@`. Throws invalid_argument that names the field. */
export function revisionWish(field: string, text: string): NonNullable<RevisionWish> {
  if (text === newestWord) return newestWord;
  if (numberPattern.test(text) && Number(text) <= mostRevision) return Number(text);
  if (isAlias(text)) return { alias: text };
  throw invalidArgument(
    field,
    `has the revision ${quote(text)}; allowed are a number from 1 on, ${newestWord}, and an alias of ${aliasWords}`,
  );
}
