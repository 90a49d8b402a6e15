/** How an attempt was made to end: the rungs that were tried, and the one that worked. Pure. */

import type { Termination } from '../../model/execution-row.ts';
import { durationText } from '../../model/quantity.ts';

export interface Rung {
  readonly name: string;
  readonly detail: string;
  readonly outcome: 'worked' | 'did not work' | 'not needed';
}

/** In the order in which they were tried; empty where nothing had to be stopped. */
export function ladderOf(
  termination: Termination | undefined,
  code: string,
  graceMs: number | undefined,
): readonly Rung[] {
  const grace = graceMs === undefined ? 'the grace' : `the grace of ${durationText(graceMs)}`;
  if (code === 'KILL_UNCONFIRMED') {
    return [
      { name: 'Asked to end', detail: `was not gone when ${grace} was over`, outcome: 'did not work' },
      { name: 'Made to end', detail: 'was not confirmed gone within 10 s more', outcome: 'did not work' },
    ];
  }
  if (termination === undefined) return [];
  const took = `gone after ${durationText(termination.tookMs)}`;
  switch (termination.rung) {
    case 'cooperative':
      return [{ name: 'Called off', detail: `it had not begun; ${took}`, outcome: 'worked' }];
    case 'terminate':
      return [{ name: 'Guest host killed', detail: took, outcome: 'worked' }];
    case 'term':
      return [
        { name: 'SIGTERM', detail: took, outcome: 'worked' },
        { name: 'SIGKILL', detail: 'not needed', outcome: 'not needed' },
      ];
    case 'kill':
      return [
        { name: 'SIGTERM', detail: `did not end it within ${grace}`, outcome: 'did not work' },
        { name: 'SIGKILL', detail: took, outcome: 'worked' },
      ];
    case 'none':
      return [{ name: 'Ended by itself', detail: `before anything was done; ${took}`, outcome: 'worked' }];
    case 'restart':
      return [{ name: 'Ended with its node', detail: took, outcome: 'worked' }];
    default:
      return [{ name: termination.rung, detail: took, outcome: 'worked' }];
  }
}

const signals: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  5: 'SIGTRAP',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  10: 'SIGUSR1',
  11: 'SIGSEGV',
  12: 'SIGUSR2',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
  24: 'SIGXCPU',
  25: 'SIGXFSZ',
  31: 'SIGSYS',
};

/** `137 (128 + 9, SIGKILL)` where a shell would say so. */
export function exitCodeText(code: number): string {
  if (code <= 128 || code > 192) return String(code);
  const name = signals[code - 128];
  return `${code} (128 + ${code - 128}${name === undefined ? '' : `, ${name}`})`;
}
