/** Why a program could not be started, for people; `code` is the system's. */
export function startFailure(code: string, workingDirectory: string): string {
  const known: Readonly<Record<string, string>> = {
    E2BIG: 'its arguments and environment are too large',
    EAGAIN: 'the machine has no room for another process',
    ENOMEM: 'the machine has no memory for another process',
    EMFILE: 'the node has too many files open',
    ENFILE: 'the machine has too many files open',
    EPIPE: 'what starts programs for the node was ended',
    // The shell is there, so it is the folder that is not.
    ENOENT: `its working directory ${workingDirectory} does not exist`,
    ENOTDIR: `its working directory ${workingDirectory} is not a folder`,
    EACCES: `its working directory ${workingDirectory} cannot be entered`,
  };
  return `the program could not be started: ${known[code] ?? `the system refused it (${code})`}`;
}
