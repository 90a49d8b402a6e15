import type { WitType } from './types.ts';

/**
 * Whether jco gives an option of this type as `{tag: 'some', val}` or `{tag: 'none'}`. It does where a plain value
 * could be undefined itself; so of three options in each other only the middle one is tagged.
 */
export function isTaggedOption(some: WitType): boolean {
  return some.kind === 'option' && !isTaggedOption(some.some);
}
