/** What a child process gets of this one's environment: where programs are, and what Node has compiled already. */
export function inheritedEnvironment(): Readonly<Record<string, string | undefined>> {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  return { PATH, NODE_COMPILE_CACHE };
}
