import { note, type Shell } from './shell.ts';

/**
 * Runs `work`, which only looks on: a Ctrl-C ends the command as it always does, and says before what goes on without
 * it and how to look again.
 */
export async function saysOnLeaving<T>(
  shell: Pick<Shell, 'err'>,
  text: () => string,
  work: () => Promise<T>,
): Promise<T> {
  const leave = (): void => {
    const again = (): void => void process.kill(process.pid, 'SIGINT');
    note(shell, text()).then(again, again);
  };
  process.once('SIGINT', leave);
  try {
    return await work();
  } finally {
    process.off('SIGINT', leave);
  }
}
