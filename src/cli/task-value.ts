/**
 * Values that a task's flags and its file share, as the schema has them. Each throws a UsageError that names `field`; the
 * bounds are the ones that the server holds them to.
 */
import { quote } from '../domain/errors.ts';
import { fits } from '../domain/schema/check.ts';
import {
  type Form,
  kebabCase,
  type NumberForm,
  type ObjectForm,
  type TextForm,
  type WordForm,
} from '../domain/schema/form.ts';
import { digest } from '../domain/schema/values.ts';
import { parseDelay, parseDuration } from './duration.ts';
import { parseSize } from './size.ts';
import { UsageError } from './usage-error.ts';

type Parse<T> = (field: string, text: string) => T;

function refuse(field: string, text: string, allowed: string): UsageError {
  return new UsageError(`${field}: is ${quote(text)}; allowed is ${allowed}`);
}

/** A scalar that is neither a word nor true or false, which flags and files take in words of their own. */
export function parserOf(form: Form): Parse<string | number> {
  switch (form.kind) {
    case 'text':
      return patternParser(form);
    case 'duration':
      return durationParser(form);
    case 'whole':
      return form.unit === 'bytes' ? parseSize : wholeParser(form);
    case 'number':
      return numberParser(form);
    default:
      throw new Error(`a ${form.kind} is no scalar`);
  }
}

function patternParser(form: TextForm): Parse<string> {
  const { words } = form;
  return (field, text) => {
    // Where it may be empty, that is the same as not to say it.
    if (words !== undefined && !fits({ ...form, mayBeEmpty: false }, text))
      throw refuse(field, text, words.allowed);
    return text;
  };
}

function durationParser({ least }: NumberForm): Parse<number> {
  return (field, text) => {
    const ms = least === 0 ? parseDelay(field, text) : parseDuration(field, text);
    if (ms < least) throw refuse(field, text, `a duration of ${least / 1000}s or more`);
    return ms;
  };
}

function wholeParser({ least, most }: NumberForm): Parse<number> {
  return (field, text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw refuse(field, text, `a whole number from ${least} to ${most}`);
    }
    return value;
  };
}

/** In decimals: `0.5`. */
function numberParser({ least, most, unit }: NumberForm): Parse<number> {
  const [what, example] = unit === 'cores' ? ['a number of cores', ', such as 0.5'] : ['a number', ''];
  return (field, text) => {
    const value = Number(text);
    if (!/^\d+(\.\d+)?$/.test(text) || value < least || value > most) {
      throw refuse(field, text, `${what} from ${least} to ${most}${example}`);
    }
    return value;
  };
}

/** An object that a flag says in one word. */
export function parseLine({ line, fields }: ObjectForm, field: string, text: string): object {
  const groups = line?.pattern.exec(text)?.groups;
  if (groups === undefined) throw refuse(field, text, line?.allowed ?? 'an object');
  const said: [string, unknown][] = [];
  for (const [name, { form }] of fields) {
    const part = groups[name];
    if (part === undefined) continue;
    if (form.kind === 'truth') {
      // The pattern has the word for it.
      said.push([name, true]);
      continue;
    }
    if (form.kind === 'list' && form.item.kind === 'word') {
      const { item } = form;
      said.push([name, part.split(',').map((each) => wordOf(item, field, each))]);
      continue;
    }
    if (form.kind !== 'word') {
      said.push([name, parserOf(form)(field, part)]);
      continue;
    }
    said.push([name, wordOf(form, field, part)]);
  }
  return Object.fromEntries(said);
}

function wordOf(form: WordForm, field: string, text: string): string {
  const names = namesOf(form);
  const word = names.get(text.toLowerCase().replaceAll('_', '-'));
  if (word === undefined) throw refuse(field, text, [...names.keys()].join(', '));
  return word;
}

/** Lower-case hex of a SHA-256; `sha256:` before it is how others write it. */
export function parseDigest(field: string, text: string): string {
  const hex = text.replace(/^sha256:/, '').toLowerCase();
  if (!fits(digest.form, hex)) throw refuse(field, text, 'a SHA-256 of 64 hex digits');
  return hex;
}

/** The words of a form as people write them, and the way back. */
export function namesOf({ words }: WordForm): ReadonlyMap<string, string> {
  return new Map(words.map((word) => [kebabCase(word), word]));
}
