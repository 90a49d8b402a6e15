/** What a child process gets of this one's environment: where programs are and nodes are noted, and what Node has compiled. */
export function inheritedEnvironment(): Readonly<Record<string, string | undefined>> {
  const { PATH, XDG_STATE_HOME, NODE_COMPILE_CACHE } = process.env;
  return { PATH, XDG_STATE_HOME, NODE_COMPILE_CACHE };
}
