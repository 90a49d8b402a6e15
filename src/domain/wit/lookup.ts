import { didYouMean } from '../did-you-mean.ts';
import { invalidArgument, quote, RequestError } from '../errors.ts';
import { listNames } from './place.ts';
import type { WitFunction } from './types.ts';

const longestCompared = 200;

/**
 * The function of that export name (`ns:pkg/iface@1.0.0#add`), or of a bare name (`add`) that one export has.
 * Throws a RequestError: not_found, listing what there is, or invalid_argument for `function_name`, listing the
 * exports that share the bare name.
 */
export function findFunction(functions: readonly WitFunction[], name: string): WitFunction {
  const exact = functions.find((fn) => fn.name === name);
  if (exact !== undefined) return exact;
  const candidates = functions.filter((fn) => fn.name.endsWith(`#${name}`));
  const [only] = candidates;
  if (only === undefined) {
    const names = functions.map((fn) => fn.name);
    const bare = names.map((each) => each.slice(each.lastIndexOf('#') + 1));
    const guess = didYouMean(name.slice(0, longestCompared), [...bare, ...names]);
    const known =
      guess !== undefined
        ? `did you mean ${quote(guess)}?`
        : names.length === 0
          ? 'it exports no typed functions'
          : `it exports ${listNames(names)}`;
    throw new RequestError('not_found', `no function ${quote(name)}: ${known}`, {
      reason: 'FUNCTION_NOT_FOUND',
      metadata: { function: quote(name) },
    });
  }
  if (candidates.length > 1) {
    throw invalidArgument(
      'function_name',
      `${quote(name)} could be any of ${listNames(candidates.map((fn) => fn.name))}`,
    );
  }
  return only;
}
