/** What a check takes, as data: what flags, files, messages and the reference of a task are derived from. */

/** How a text that does not fit its pattern is refused: `"a b" is not a user; allowed is USER or USER:GROUP`. */
export interface PatternWords {
  /** With its article: `a user`. */
  readonly what: string;
  readonly allowed: string;
}

export interface TextForm {
  readonly kind: 'text';
  /** UTF-8 bytes. */
  readonly most: number;
  readonly pattern?: RegExp;
  /** Where there is a pattern that people have to be told about. */
  readonly words?: PatternWords;
  /** An empty text fits, whatever the pattern says. */
  readonly mayBeEmpty: boolean;
}

export interface NumberForm {
  /** A `duration` is in milliseconds, and its name in JSON ends in `Ms`. */
  readonly kind: 'number' | 'whole' | 'duration';
  readonly least: number;
  readonly most: number;
  readonly unit?: 'bytes' | 'cores';
}

export interface WordForm {
  readonly kind: 'word';
  /** In lowerCamelCase, or in capitals. */
  readonly words: readonly string[];
  /** With its article, where it is not told what is allowed: `an error code`. */
  readonly what?: string;
}

export interface ListForm {
  readonly kind: 'list';
  readonly item: Form;
  readonly most: number;
  /** UTF-8 bytes of all entries together. */
  readonly total?: number;
}

export interface MapForm {
  readonly kind: 'map';
  readonly name: TextForm;
  readonly value: Form;
  readonly most: number;
  /** UTF-8 bytes of all names and values together. */
  readonly total?: number;
}

export interface ObjectForm {
  readonly kind: 'object';
  /** In their order in JSON. */
  readonly fields: ReadonlyMap<string, FieldForm>;
  /** How a flag says it in one word. */
  readonly line?: LineForm;
}

export interface LineForm {
  /** With a group for each field, by its name in JSON. */
  readonly pattern: RegExp;
  readonly allowed: string;
}

export type Form =
  | TextForm
  | NumberForm
  | WordForm
  | ListForm
  | MapForm
  | ObjectForm
  | { readonly kind: 'truth' }
  /** Only its check knows. */
  | { readonly kind: 'other' };

export interface FieldForm {
  readonly form: Form;
  readonly optional: boolean;
  readonly about: About;
}

/** What there is to say about a field that its form does not say. */
export interface About {
  /** What it means, for the reference: a sentence or two. */
  readonly means?: string;
  /** In JSON; what holds where nothing is said. */
  readonly default?: unknown;
  /** For the reference, where the default is not one value. */
  readonly defaultWords?: string;
  readonly flag?: Flag;
  /** How `spear task show` calls it, where that is not its name; empty where it does not show it. */
  readonly shown?: string;
  /** It is the most of something, and shown as such. */
  readonly isMost?: boolean;
  /** Values that a snapshot carries only where it is asked to. */
  readonly secret?: boolean;
  /** Those that take it; absent means all. */
  readonly runtimes?: readonly string[];
}

export interface Flag {
  /** `--cpu <cores>`. */
  readonly words: string;
  readonly help: string;
  readonly group: FlagGroup;
}

export function flag(words: string, help: string, group: FlagGroup): { readonly flag: Flag } {
  return { flag: { words, help, group } };
}

export const flagGroups = [
  'What runs:',
  'What it may reach:',
  'Limits:',
  'Instances:',
  'When an attempt is lost:',
] as const;

export type FlagGroup = (typeof flagGroups)[number];

/** A field as people, files and messages call it: a duration has a unit there, which `graceMs` has in its name. */
export function spokenName(name: string, { kind }: Form): string {
  return kind === 'duration' ? name.replace(/Ms$/, '') : name;
}

/** `on_interrupt`, as messages and files write `onInterrupt`. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `reattach-or-rerun`, as people write `reattachOrRerun`; words in capitals stay. */
export function kebabCase(word: string): string {
  return isCapitals(word) ? word : word.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `REATTACH_OR_RERUN`, as enums of messages have it. */
export function constantCase(word: string): string {
  return isCapitals(word) ? word : word.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

function isCapitals(word: string): boolean {
  return /^[A-Z0-9_]+$/.test(word);
}

/** Whether there is a value for a field of which nothing is said. */
export function mayBeUnsaid({ optional, about, form }: FieldForm): boolean {
  return optional || form.kind === 'object' || 'default' in about || about.defaultWords !== undefined;
}
