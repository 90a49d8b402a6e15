/** Where the text of each option is from: a flag, else the environment, else the configuration file. */
import { invalidArgument, RequestError } from '../domain/errors.ts';
import { snakeCase } from '../domain/schema/form.ts';
import { flagOf, plainNumber, variableOf } from './option.ts';
import { type OptionName, optionNames, options, type RetiredName, retiredOptions } from './options.ts';

/** Flags as a command line gives them, by their names in camelCase. */
export type ConfigFlags = Readonly<
  Partial<Record<OptionName | RetiredName | 'config', string | boolean | undefined>>
>;

export type Environment = Readonly<Record<string, string | undefined>>;

/** A configuration file that was read; see file.ts. */
export interface ConfigFile {
  readonly path: string;
  /** As a flag would have them. */
  readonly values: ReadonlyMap<OptionName, { readonly text: string; readonly line: number }>;
  /** Keys of options that do nothing any more. */
  readonly retired: readonly RetiredName[];
}

export interface Source {
  readonly kind: 'flag' | 'environment' | 'file';
  /** `--slots`, `SPEAR_SLOTS`, or `spear.yaml:3`. */
  readonly place: string;
  readonly text: string;
}

export class OptionSources {
  readonly #flags: ConfigFlags;
  readonly #env: Environment;
  readonly #file: ConfigFile | undefined;

  constructor(flags: ConfigFlags, env: Environment, file?: ConfigFile) {
    this.#flags = flags;
    this.#env = env;
    this.#file = file;
  }

  /** Undefined where nobody says anything of it. */
  find(name: OptionName): Source | undefined {
    const flag = this.#flags[name];
    if (flag !== undefined) return { kind: 'flag', place: flagOf(name), text: String(flag) };
    const variable = this.#env[variableOf(name)];
    if (variable !== undefined && variable !== '') {
      return { kind: 'environment', place: variableOf(name), text: variable };
    }
    const said = this.#file?.values.get(name);
    if (this.#file !== undefined && said !== undefined) {
      return { kind: 'file', place: `${this.#file.path}:${said.line}`, text: said.text };
    }
    const { lastVariable: place } = options[name];
    const last = place === undefined ? '' : (this.#env[place] ?? '');
    return place === undefined || last === '' ? undefined : { kind: 'environment', place, text: last };
  }

  /** What to read of an option: sizes and durations in digits. */
  text(name: OptionName): string | undefined {
    const source = this.find(name);
    if (source === undefined) return undefined;
    // A variable has bytes and milliseconds in digits as well, and what it has instead is told with what is allowed.
    if (/^\d+$/.test(source.text)) return source.text;
    const plain = plainNumber(options[name].value, source.text);
    return typeof plain === 'string' ? plain : source.text;
  }

  /** An error that names a flag, with where its value is from. */
  placed(error: unknown): unknown {
    const [violation] = error instanceof RequestError ? error.violations : [];
    const name = optionNames.find((each) => flagOf(each) === violation?.field);
    const source = name === undefined ? undefined : this.find(name);
    if (violation === undefined || name === undefined || source === undefined) return error;
    if (source.kind === 'flag') return error;
    const { field, description } = violation;
    const place =
      source.kind === 'file' ? `${source.place}: ${snakeCase(name)}` : `${field} (from ${source.place})`;
    return invalidArgument(place, description);
  }

  /** What to tell of each option that is given and does nothing. */
  retired(): string[] {
    return Object.entries(retiredOptions).flatMap(([key, instead]) => {
      const place = this.#placeOfRetired(key as RetiredName);
      return place === undefined ? [] : [`${place} does nothing any more: ${instead}`];
    });
  }

  #placeOfRetired(name: RetiredName): string | undefined {
    if (this.#flags[name] !== undefined) return flagOf(name);
    if ((this.#env[variableOf(name)] ?? '') !== '') return variableOf(name);
    return this.#file?.retired.includes(name) === true
      ? `${snakeCase(name)} in ${this.#file.path}`
      : undefined;
  }
}
