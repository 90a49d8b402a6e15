/** The signals of a Linux guest, whatever system the node runs on. */
const names = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGILL',
  'SIGTRAP',
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGKILL',
  'SIGUSR1',
  'SIGSEGV',
  'SIGUSR2',
  'SIGPIPE',
  'SIGALRM',
  'SIGTERM',
  'SIGSTKFLT',
  'SIGCHLD',
  'SIGCONT',
  'SIGSTOP',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
  'SIGURG',
  'SIGXCPU',
  'SIGXFSZ',
  'SIGVTALRM',
  'SIGPROF',
  'SIGWINCH',
  'SIGIO',
  'SIGPWR',
  'SIGSYS',
] as const;

const firstRealTime = 34;
const last = 64;

/** The name of the signal that an exit code stands for (128 + its number); undefined where it stands for none. */
export function signalOf(exitCode: number): string | undefined {
  const number = exitCode - 128;
  if (number >= firstRealTime && number <= last) return `SIGRTMIN+${number - firstRealTime}`;
  return names[number - 1];
}
