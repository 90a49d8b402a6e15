/** Commands of a shell that print what an argument may be, a word a line; nothing where no server answers. */
export const listings = {
  task: "spear task list 2>/dev/null | awk 'NR > 1 { print $1 }'",
  execution: "spear list --limit 50 2>/dev/null | awk 'NR > 1 { print $1 }'",
} as const;

/** One word of a POSIX shell, whatever is in it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
