/** What is known of an option of `spear serve`, and what it is called in each place that it comes from. */

import { readDuration } from '../domain/duration.ts';
import { readSize } from '../domain/size.ts';

interface Numeric {
  readonly kind: 'whole' | 'decimal' | 'size' | 'duration';
  /** As the help shows it: `ms`. */
  readonly placeholder: string;
  /** Both allowed; bytes and milliseconds. */
  readonly least: number;
  readonly most: number;
  /** The word `auto` is allowed, too. */
  readonly auto?: true;
}

interface Text {
  readonly kind: 'text';
  readonly placeholder: string;
  /** A file or a folder: in a configuration file it is relative to that. What has a scheme is none. */
  readonly path?: true;
}

interface Word {
  readonly kind: 'word';
  readonly placeholder: string;
  readonly words: readonly string[];
}

/** Texts, joined in a flag and a variable. */
interface List {
  readonly kind: 'list';
  readonly placeholder: string;
  readonly separator: ',' | ':';
  /** The flag may come more than once, too. */
  readonly several?: true;
  readonly path?: true;
  /** Those that are allowed; absent where others decide. */
  readonly words?: readonly string[];
}

/** NAME=NUMBER, joined by commas in a flag and a variable. */
interface Numbers {
  readonly kind: 'numbers';
  readonly placeholder: string;
  readonly names: readonly string[];
  readonly least: number;
  readonly most: number;
}

export type OptionValue = { readonly kind: 'truth' } | Numeric | Text | Word | List | Numbers;

export interface Option {
  readonly value: OptionValue;
  /** One line, without the default. */
  readonly about: string;
  /** Bytes and milliseconds for sizes and durations; absent where it depends on something. */
  readonly default?: number | string;
  /** What to say of the default where it depends, or where nothing is the default. */
  readonly defaultWords?: string;
  /** A variable of the environment that others read, too; ours and the configuration file go before it. */
  readonly lastVariable?: string;
  /** Shown as `***`. */
  readonly secret?: true;
  /** May be changed without a restart: by SIGHUP, from the configuration file. */
  readonly live?: true;
}

/** `--queue-limit` for `queueLimit`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `SPEAR_QUEUE_LIMIT` for `queueLimit`. */
export function variableOf(name: string): string {
  return `SPEAR_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** What a value that is given has to be, in words; for sizes and durations as people write them. */
export function optionWords(option: Option): string {
  const { value } = option;
  switch (value.kind) {
    case 'truth':
      return 'true or false';
    case 'whole':
      return `${value.least} to ${value.most}`;
    case 'decimal':
      return orAuto(value, `a number from ${value.least} to ${value.most}`);
    case 'size':
    case 'duration':
      return orAuto(value, `${numberText(value, value.least)} to ${numberText(value, value.most)}`);
    case 'text':
      return value.placeholder;
    case 'word':
      return value.words.join(', ');
    case 'list':
      return `a list of ${value.words?.join(', ') ?? value.placeholder}`;
    case 'numbers':
      return `${value.names.join(', ')}: ${value.least} to ${value.most}`;
  }
}

function orAuto({ auto }: Numeric, words: string): string {
  return auto === undefined ? words : `${words}, or auto`;
}

/** Whether any text is allowed to be one: patterns for those who check a file without Spear. */
export const sizePattern = '^\\d+(\\.\\d+)? ?(B|kB|KB|MB|GB|KiB|MiB|GiB|TiB)?$';
export const durationPattern = '^(\\d+(\\.\\d+)?(ms|s|m|h|d))+$';

/** The default in words; undefined for a switch that is off. */
export function defaultText({ value, ...option }: Option): string | undefined {
  if (option.defaultWords !== undefined) return option.defaultWords;
  return option.default === undefined ? undefined : valueText(value, option.default);
}

/** A value as a file has it: `256MiB`, `24h`. */
function valueText(value: OptionValue, given: unknown): string {
  if (Array.isArray(given)) return given.join(value.kind === 'list' ? value.separator : ',');
  if (typeof given === 'object' && given !== null) {
    return Object.entries(given)
      .map(([name, number]) => `${name}=${number}`)
      .join(',');
  }
  if (typeof given === 'number' && isNumeric(value)) return numberText(value, given);
  return String(given);
}

/** What people see of a resolved value; empty for none. */
export function shownText(option: Option, given: unknown): string {
  const text =
    given === Number.POSITIVE_INFINITY ? (option.defaultWords ?? '') : valueText(option.value, given);
  return option.secret === true && text !== '' ? '***' : text;
}

export function isNumeric(value: OptionValue): value is Numeric {
  return ['whole', 'decimal', 'size', 'duration'].includes(value.kind);
}

function numberText({ kind }: Pick<Numeric, 'kind'>, number: number): string {
  if (kind === 'size') return inUnits(number, sizeUnits);
  return kind === 'duration' ? inUnits(number, durationUnits) : String(number);
}

const sizeUnits = [
  ['TiB', 2 ** 40],
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
  ['GB', 1e9],
] as const;

const durationUnits = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

/** In the largest unit of which it is a whole number. */
function inUnits(number: number, units: readonly (readonly [unit: string, size: number])[]): string {
  const found = units.find(([, size]) => number >= size && number % size === 0);
  return found === undefined ? String(number) : `${number / found[1]}${found[0]}`;
}

/** A size or a duration in digits, which is what `resolveConfig` reads, and other texts as they are; or what is allowed. */
export function plainNumber(value: OptionValue, text: string): string | { readonly allowed: string } {
  if (value.kind !== 'size' && value.kind !== 'duration') return text;
  if (value.auto !== undefined && text === 'auto') return text;
  const read = value.kind === 'size' ? readSize(text) : readDuration(text);
  if ('value' in read) return String(read.value);
  return value.auto === undefined ? read : { allowed: `${read.allowed}, or "auto"` };
}
