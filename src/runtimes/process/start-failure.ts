/** Why a program could not be started, for people; `code` is the system's. */
export function startFailure(code: string): string {
  const known: Readonly<Record<string, string>> = {
    E2BIG: 'its arguments and environment are too large',
    EAGAIN: 'the machine has no room for another process',
    ENOMEM: 'the machine has no memory for another process',
    EMFILE: 'the node has too many files open',
    ENFILE: 'the machine has too many files open',
    ENOSPC: 'the machine has no room for another control group',
    EPIPE: 'what starts programs for the node was ended',
    ENOROOM: 'no private temporary folders could be made for it',
    ETIMEDOUT: 'the node had nothing to connect it to in time, as where too many files are open',
  };
  return `the program could not be started: ${known[code] ?? `the system refused it (${code})`}`;
}
