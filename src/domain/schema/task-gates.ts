/** What holds back executions of a task: so many at a time with one value of a key, so many starts in a time. */

import { mostValueBytes } from '../scheduling/task-gates.ts';
import type { ConcurrencyLimit, RateLimit } from '../task.ts';
import { field, list, map, object, oneOf, optional, text, whole } from './check.ts';
import { flag } from './form.ts';
import { mostCount, positive } from './values.ts';

/** What executions are told apart by. */
const gateKey = text(
  128,
  /^(?:metadata\.[^=]+|parameters\.[A-Za-z][A-Za-z0-9-]*|[A-Za-z0-9][A-Za-z0-9_-]*)$/,
  {
    words: {
      what: 'a key',
      allowed: 'task, tenant, metadata.NAME, parameters.NAME, or a name of your own of [A-Za-z0-9_-]',
    },
  },
);

const mostGates = 8;

/** Of an execution: the values of its keys that read parameters. */
export const keyValues = map(text(mostValueBytes), 2 * mostGates, gateKey);

export const concurrency = optional(
  list(
    object<ConcurrencyLimit>(
      {
        key: field(gateKey, { means: 'What is counted together.' }),
        limit: field(whole(1, mostCount), { means: 'Attempts at a time.' }),
        whenFull: optional(oneOf('queue', 'refuse'), { defaultWords: 'queue' }),
      },
      {
        pattern: /^(?<key>[^=]*)=(?<limit>[^:]*)(?::(?<whenFull>.*))?$/,
        allowed: 'KEY=LIMIT or KEY=LIMIT:WHEN_FULL',
      },
    ),
    mostGates,
  ),
  {
    means:
      'So many attempts at a time with one value of the key: of this task, of all tasks of the tenant with `tenant` or a name of your own. The others wait, or with `refuse` are refused while so many have not ended.',
    ...flag(
      '--concurrency <limit>',
      'KEY=LIMIT[:WHEN_FULL], such as metadata.user=1 (repeatable)',
      'Limits:',
    ),
  },
);

export const rate = optional(
  list(
    object<RateLimit>(
      {
        key: field(gateKey, { means: 'What is counted together.' }),
        units: field(whole(1, 1_000_000), { means: 'Starts of attempts.' }),
        perMs: field(positive, { means: 'In which time.' }),
        burst: optional(whole(1, 1_000_000), { defaultWords: '1' }),
      },
      {
        pattern: /^(?<key>[^=]*)=(?<units>[^/]*)\/(?<perMs>[^:]*)(?::(?<burst>.*))?$/,
        allowed: 'KEY=UNITS/PER or KEY=UNITS/PER:BURST',
      },
    ),
    mostGates,
  ),
  {
    means:
      'So many starts in a time with one value of the key, which is as for `concurrency`: evenly, and after a pause at most `burst` (1) at once. The others wait.',
    ...flag('--rate <limit>', 'KEY=UNITS/PER[:BURST], such as tenant=100/1m:20 (repeatable)', 'Limits:'),
  },
);
