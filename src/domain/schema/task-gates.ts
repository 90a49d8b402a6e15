/** What holds back executions of a task: so many at a time with one value of a key, so many starts in a time. */

import { type ExecutionGate, mostValueBytes } from '../scheduling/task-gates.ts';
import type { ConcurrencyLimit, RateLimit, RestartIntensity } from '../task.ts';
import { type Check, field, list, object, oneOf, optional, text, whole } from './check.ts';
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
const mostUnits = 1_000_000;
const whenFull = oneOf('queue', 'refuse', 'replacePending', 'cancelRunning');

export const concurrency = optional(
  list(
    object<ConcurrencyLimit>(
      {
        key: field(gateKey, { means: 'What is counted together.' }),
        limit: field(whole(1, mostCount), { means: 'Attempts at a time.' }),
        whenFull: optional(whenFull, { defaultWords: 'queue' }),
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
      'So many attempts at a time with one value of the key: of this task, of all tasks of the tenant with `tenant` or a name of your own. The others wait; with `refuse` they are refused while so many have not ended, with `replace-pending` the newest of them takes the place of those that wait, and with `cancel-running` also ends the oldest that runs.',
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
        units: field(whole(1, mostUnits), { means: 'Starts of attempts.' }),
        perMs: field(positive, { means: 'In which time.' }),
        burst: optional(whole(1, mostUnits), { defaultWords: '1' }),
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

const failures = whole(1, 1000);

export const restartIntensity = optional(
  object<RestartIntensity>(
    {
      failures: field(failures, { means: 'Attempts that may fail within the time.' }),
      withinMs: field(positive, { means: 'In which time, and how long it waits before one may try.' }),
      whenQuarantined: optional(oneOf('wait', 'refuse'), {
        means: 'What becomes of executions while it is quarantined: they wait, or new ones are refused.',
        defaultWords: 'wait',
      }),
    },
    {
      pattern: /^(?<failures>[^/]*)\/(?<withinMs>[^:]*)(?::(?<whenQuarantined>.*))?$/,
      allowed: 'FAILURES/WITHIN or FAILURES/WITHIN:WHEN_QUARANTINED',
    },
  ),
  {
    means:
      'A task of which more attempts fail in a time is quarantined: its executions wait, but for one that may try after that time, and after twice as long each time it fails. When one completes, all go on.',
    ...flag(
      '--restart-intensity <limit>',
      'FAILURES/WITHIN[:WHEN_QUARANTINED], such as 5/1m:refuse',
      'Limits:',
    ),
  },
);

const value = text(mostValueBytes);

const concurrencyGate = object<ConcurrencyLimit & { readonly value: string }>({
  key: gateKey,
  value,
  limit: whole(1, mostCount),
  whenFull: optional(whenFull),
});

const rateGate = object<RateLimit & { readonly value: string }>({
  key: gateKey,
  value,
  units: whole(1, mostUnits),
  perMs: positive,
  burst: optional(whole(1, mostUnits)),
});

const quarantineGate = object<
  Omit<RestartIntensity, 'whenQuarantined'> & { readonly key: string; readonly value: string }
>({
  key: gateKey,
  value,
  failures,
  withinMs: positive,
});

const gate: Check<ExecutionGate> = (found, place) =>
  (has(found, 'units') ? rateGate : has(found, 'failures') ? quarantineGate : concurrencyGate)(found, place);

function has(found: unknown, name: string): boolean {
  return found !== null && typeof found === 'object' && name in found;
}

/** Of an execution. */
export const executionGates = list(gate, 2 * mostGates + 1);
