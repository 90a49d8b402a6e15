/** How long to wait for a socket that is not ready, in milliseconds. */
const pauseMs = 1;

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Makes a call of a socket until it is done: one that somebody made non-blocking says so instead of waiting. */
export function untilDone(call: () => number): number {
  for (;;) {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      Atomics.wait(sleeper, 0, 0, pauseMs);
    }
  }
}
