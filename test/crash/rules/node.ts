/** I9, and the server itself: it ends when it is told to, as it is told to, and leaves nothing. */
import type { History } from '../history.ts';
import type { Rule } from './rule.ts';

const remains: Rule = {
  name: 'I9 nothing left',
  *check(history: History) {
    for (const { when, what } of history.remains) for (const each of what) yield `${when}: ${each}`;
  },
};

const exits: Rule = {
  name: 'the server ends as it is told to',
  *check({ runs }: History) {
    for (const [index, { phase, exit, killed, readyAt }] of runs.entries()) {
      const gentle = phase === 'drain' || phase === 'stop' || phase === 'last';
      const right = killed ? exit === 'SIGKILL' || (gentle && exit === '0') : gentle && exit === '0';
      if (!right) yield `run ${index + 1} (${phase}) ended with ${exit}`;
      if (readyAt === undefined && phase !== 'recovery') yield `run ${index + 1} (${phase}) was never ready`;
    }
  },
};

const bugs: Rule = {
  name: 'no bug of its own',
  *check({ runs }: History) {
    for (const [index, run] of runs.entries()) for (const bug of run.bugs) yield `run ${index + 1}: ${bug}`;
  },
};

export const nodeRules: readonly Rule[] = [remains, exits, bugs];
