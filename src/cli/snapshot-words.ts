/** The options of a snapshot and a restore as people have them: the server's messages have the names of the wire. */
const words: readonly (readonly [wire: RegExp, here: string])[] = [
  [/\bin options\.environment\b/g, 'with --env'],
  [/\boptions\.environment\./g, '--env '],
  [/\boptions\.environment\b/g, '--env'],
  [/\bas_new\b/g, '--as-new'],
  [/\ballow_copy\b/g, '--allow-copy'],
  [/\binclude_artifact\b/g, '--with-artifact'],
  [/\binclude_environment\b/g, '--with-env'],
  [/\bwith detach\b/g, 'with --detach'],
];

/** A message of the server with its options as flags. */
export function inFlags(message: string): string {
  return words.reduce((text, [wire, here]) => text.replace(wire, here), message);
}
