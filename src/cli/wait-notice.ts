import { note, type Shell } from './shell.ts';

/** Most answers take a few milliseconds; after this long, people ask themselves what the command waits for. */
const noticeDelayMs = 2000;

/** Waits for what changes an execution, and says on stderr, once, what an answer that takes long waits for. */
export async function withWaitNotice<T>(shell: Pick<Shell, 'err'>, answer: Promise<T>): Promise<T> {
  const timer = setTimeout(() => {
    note(shell, 'no answer yet; the server gives it when the change is on its disk').catch(() => {});
  }, noticeDelayMs);
  try {
    return await answer;
  } finally {
    clearTimeout(timer);
  }
}
