/** What an accepted request asked to run, where it comes from elsewhere; a caller's is checked by `server/wire/invocation.ts`. */
import type { Invocation } from '../execution.ts';
import { type Fields, json, map, truth } from './check.ts';
import { argumentList, environment, environmentValue, label } from './values.ts';

/** All but the input, which is bytes. */
export const invocationFields: Fields<Omit<Invocation, 'input'>> = {
  functionName: label,
  parameters: map(json, 1_000_000),
  contentType: label,
  args: argumentList,
  environment: environment(environmentValue),
  forceNewInstance: truth,
};
