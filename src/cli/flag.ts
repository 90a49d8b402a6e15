/** Parsers of option values, as commander calls them. Each throws a UsageError that names the flag. */
import { quote } from '../domain/errors.ts';
import { parseDelay, parseDuration } from './duration.ts';
import { parseInstant } from './instant.ts';
import { UsageError } from './usage-error.ts';

/** Collects the values of an option that may come more than once. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** Collects NAME=VALUE; a name that comes twice is refused, as it cannot mean both. */
export function collectPairs(flag: string, form = 'NAME=VALUE') {
  return (
    text: string,
    before: Readonly<Record<string, string>> | undefined,
  ): Readonly<Record<string, string>> => {
    const at = text.indexOf('=');
    if (at < 1) throw new UsageError(`${flag}: is ${quote(text)}; allowed is ${form}`);
    const name = text.slice(0, at);
    if (before !== undefined && Object.hasOwn(before, name)) {
      throw new UsageError(`${flag}: ${quote(name)} is there twice; allowed is each name once`);
    }
    return { ...before, [name]: text.slice(at + 1) };
  };
}

/** Milliseconds. */
export function duration(flag: string) {
  return (text: string): number => parseDuration(flag, text);
}

/** Milliseconds, or zero. */
export function delay(flag: string) {
  return (text: string): number => parseDelay(flag, text);
}

/** Milliseconds since the epoch: an instant, or how long ago it was. */
export function instant(flag: string) {
  return (text: string): number => parseInstant(flag, text, Date.now());
}

/** Any other value that a flag and a task file share. */
export function parsed<T>(flag: string, parse: (field: string, text: string) => T) {
  return (text: string): T => parse(flag, text);
}

export function wholeNumber(flag: string) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
      throw new UsageError(`${flag}: is ${quote(text)}; allowed is a whole number`);
    }
    return value;
  };
}

/** One of the words, however it is cased and whatever joins its parts. */
export function oneOf<Word extends string>(flag: string, words: readonly Word[]) {
  return (text: string): Word => {
    const plain = (word: string): string => word.toLowerCase().replace(/[-_]/g, '');
    const found = words.find((word) => plain(word) === plain(text));
    if (found === undefined) {
      throw new UsageError(`${flag}: is ${quote(text)}; allowed are ${words.join(', ')}`);
    }
    return found;
  };
}
