/** Of what a server says, the words that a shell takes as they are. */
const plainWords = "awk 'NR > 1 && $1 ~ /^[A-Za-z0-9][A-Za-z0-9._-]*$/ { print $1 }'";

/** Commands of a shell that print what an argument may be, a word a line; nothing where no server answers. */
export const listings = {
  task: `spear task list 2>/dev/null | ${plainWords}`,
  execution: `spear list --limit 50 2>/dev/null | ${plainWords}`,
} as const;

/** One word of a POSIX shell, whatever is in it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
