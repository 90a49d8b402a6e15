/**
 * The one table of what `spear serve` can be told. Its flags, its environment variables, the reader and the schema of
 * its configuration file, `spear config show` and the table of docs/configuration.md are made of it.
 */
import { boundOptions } from './bound-options.ts';
import { clusterOptions } from './cluster-options.ts';
import { edgeOptions } from './edge-options.ts';
import { nodeOptions } from './node-options.ts';
import type { Option } from './option.ts';
import { traceOptions } from './trace-options.ts';

const all = { ...nodeOptions, ...clusterOptions, ...edgeOptions, ...traceOptions, ...boundOptions };

export type OptionName = keyof typeof all;

export const options: Readonly<Record<OptionName, Option>> = all;

/** What they are about, each with its part of the table. */
export const optionGroups: readonly (readonly [about: string, names: readonly OptionName[]])[] = [
  ['The node', namesOf(nodeOptions)],
  ['Other nodes', namesOf(clusterOptions)],
  ['How callers reach it', namesOf(edgeOptions)],
  ['Traces', namesOf(traceOptions)],
  ['Limits', namesOf(boundOptions)],
];

function namesOf<Name extends string>(part: Readonly<Record<Name, Option>>): readonly Name[] {
  return Object.keys(part) as Name[];
}

/** In the order in which people read them. */
export const optionNames = Object.keys(all) as readonly OptionName[];

export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(all, name);
}

/** Options of before that do nothing any more: a node that is started with one goes on to start. */
export const retiredOptions = {
  allowUiActions:
    'a page may do what the role of its reader allows: that of the link (spear page --role), or of --anonymous-role',
} as const;

export type RetiredName = keyof typeof retiredOptions;

export function isRetiredName(name: string): name is RetiredName {
  return Object.hasOwn(retiredOptions, name);
}
