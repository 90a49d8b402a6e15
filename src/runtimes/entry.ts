/** The URL of a program beside `from`: `.ts` in a checkout, `.js` in the built package. */
export function entryUrl(path: string, from: string): URL {
  const extension = /\.[a-z]+(?=$|\?)/.exec(from)?.[0] ?? '.js';
  return new URL(path + extension, from);
}
