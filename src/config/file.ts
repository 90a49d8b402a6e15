/** Reads the configuration file: YAML or JSON, with a key for each option, in snake_case. */
import { dirname, resolve } from 'node:path';
import { type Document, isMap, isScalar, type LineCounter, type Pair } from 'yaml';
import { didYouMean } from '../domain/did-you-mean.ts';
import { invalidArgument, quote, type RequestError } from '../domain/errors.ts';
import { snakeCase } from '../domain/schema/form.ts';
import { mostTextBytes, readSmallFile } from '../small-file.ts';
import { type OptionValue, optionWords, plainNumber } from './option.ts';
import {
  isOptionName,
  isRetiredName,
  type OptionName,
  optionNames,
  options,
  type RetiredName,
} from './options.ts';
import type { ConfigFile, ConfigFlags, Environment } from './sources.ts';
import { type ReadYaml, readYaml, YamlFault } from './yaml.ts';

/** The file that a flag or the environment names; undefined for none. Throws as readConfigFile. */
export function namedConfigFile(flags: ConfigFlags, env: Environment): ConfigFile | undefined {
  const { config } = flags;
  const path = config === undefined ? env.SPEAR_CONFIG : String(config);
  return path === undefined || path === '' ? undefined : readConfigFile(path);
}

/** Throws a RequestError that names the file, the line, the key and what is allowed. */
export function readConfigFile(path: string): ConfigFile {
  const { document, lines } = parse(path, contentOf(path));
  if (document.contents === null) return { path, values: new Map(), retired: [] };
  if (!isMap(document.contents))
    throw invalidArgument(path, 'is no mapping; allowed is KEY: VALUE in each line');
  const values = new Map<OptionName, { readonly text: string; readonly line: number }>();
  const retired: RetiredName[] = [];
  for (const pair of document.contents.items) {
    const { key, line } = keyOf(pair, lines);
    const refuse = (field: string, description: string): RequestError =>
      invalidArgument(`${path}:${line}: ${field}`, description);
    const name = key.replace(/_[a-z]/g, (part) => part.slice(1).toUpperCase());
    if (snakeCase(name) === key && isRetiredName(name)) retired.push(name);
    else if (snakeCase(name) === key && isOptionName(name)) {
      const node = givenIn(pair, document, (why) => refuse(key, why));
      values.set(name, { text: textOf(options[name].value, { node, key, path, refuse }), line });
    } else throw unknownKey(key, refuse);
  }
  return { path, values, retired };
}

function contentOf(path: string): string {
  try {
    return readSmallFile(path, mostTextBytes).toString();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw invalidArgument(
      '--config',
      `is ${quote(path)}, which cannot be read (${why}); allowed is a YAML file`,
    );
  }
}

function parse(path: string, source: string): ReadYaml {
  try {
    return readYaml(source);
  } catch (error) {
    if (!(error instanceof YamlFault)) throw error;
    throw invalidArgument(`${path}:${error.line}`, error.message);
  }
}

/** Throws what `refuse` makes of an alias that names nothing, or that stands for far more than is written. */
function givenIn({ value }: Pair, document: Document, refuse: (why: string) => RequestError): unknown {
  if (value === null) return '';
  try {
    return document.createNode(value).toJS(document);
  } catch (error) {
    throw refuse(`cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function keyOf({ key }: Pair, lines: LineCounter): { readonly key: string; readonly line: number } {
  if (!isScalar(key)) return { key: String(key), line: 1 };
  return { key: String(key.value), line: lines.linePos(key.range?.[0] ?? 0).line };
}

type Refuse = (field: string, description: string) => RequestError;

function unknownKey(key: string, refuse: Refuse): RequestError {
  const names = optionNames.map(snakeCase);
  const guess = didYouMean(key.replaceAll('-', '_'), names);
  const hint = guess === undefined ? 'spear config schema tells all that are' : `did you mean ${guess}?`;
  return refuse(key, `is not known; ${hint}`);
}

interface Given {
  readonly node: unknown;
  readonly key: string;
  readonly path: string;
  readonly refuse: Refuse;
}

/** What a flag would have been given. */
function textOf(value: OptionValue, given: Given): string {
  const { node, key, refuse } = given;
  if (value.kind === 'list' && Array.isArray(node)) {
    return node
      .map((each, index) => itemOf(value, each, { ...given, key: `${key}[${index}]` }))
      .join(value.separator);
  }
  if (value.kind === 'numbers' && typeof node === 'object' && node !== null && !Array.isArray(node)) {
    return Object.entries(node)
      .map(([name, number]) => `${plainPart(name, key, refuse)}=${plainPart(number, key, refuse)}`)
      .join(',');
  }
  const text = scalarOf(value, given);
  if (value.kind === 'truth' && text !== 'true' && text !== 'false') {
    throw refuse(key, `is ${quote(text)}; allowed are true and false`);
  }
  if (value.kind === 'list' && value.path === true) return pathIn(given.path, text);
  if (value.kind === 'text' && value.path === true) return pathIn(given.path, text);
  const plain = plainNumber(value, text);
  if (typeof plain !== 'string') throw refuse(key, `is ${quote(text)}; allowed is ${plain.allowed}`);
  return plain;
}

/** A part of what a flag writes with `=` and `,` between. */
function plainPart(part: unknown, key: string, refuse: Refuse): string {
  if (typeof part === 'string' && !/[=,]/.test(part)) return part;
  throw refuse(
    key,
    `has ${quote(typeof part === 'string' ? part : JSON.stringify(part))}; allowed is NAME: NUMBER`,
  );
}

function itemOf(value: Extract<OptionValue, { kind: 'list' }>, node: unknown, given: Given): string {
  const text = scalarOf(value, { ...given, node });
  if (text === '' || text.includes(value.separator)) {
    throw given.refuse(given.key, `is ${quote(text)}; allowed is a text without ${quote(value.separator)}`);
  }
  return value.path === true ? pathIn(given.path, text) : text;
}

function scalarOf(value: OptionValue, { node, key, refuse }: Given): string {
  const allowed = optionWords({ value, about: '' });
  if (typeof node === 'string' && node !== '') return node;
  const is = Array.isArray(node) ? 'a list' : node === '' || node === null ? 'empty' : 'a mapping';
  throw refuse(key, `is ${is}; allowed is ${allowed}`);
}

/** Relative to the file, as paths of a task file are. */
function pathIn(file: string, text: string): string {
  return /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(text) ? text : resolve(dirname(file), text);
}
