/** Kinds of values that several fields have: their patterns and bounds stand here and nowhere else. */
import { type ErrorCode, errorCodes, quote } from '../errors.ts';
import { destinationPattern, destinationWords, parseDestination } from '../network/destination.ts';
import { runsOnPattern, runsOnWords } from '../placement.ts';
import { priorities } from '../scheduling/priority.ts';
import {
  type Check,
  duration,
  type Formed,
  formed,
  list,
  Mismatch,
  map,
  number,
  oneOf,
  text,
} from './check.ts';
import type { Form, ListForm, MapForm, TextForm, WordForm } from './form.ts';

/** The contract's longest duration. */
export const longestDays = 366;
export const longestMs = longestDays * 24 * 60 * 60 * 1000;
export const positive = duration(1, longestMs);
export const delay = duration(0, longestMs);

export const kibibyte = 1024;
export const mebibyte = 1024 * kibibyte;
/** Of a size in bytes. */
export const mostBytes = 2 ** 40;
export const mostArguments = 1024;
/** Of all arguments, or all variables, together. */
export const mostArgumentBytes = 64 * 1024;
export const mostPathBytes = 4096;
export const mostCount = 2 ** 31;

/** Names, ids of others, content types: short texts that nothing is read out of. */
export const label = text(512);
export const path = text(mostPathBytes);
export const absolutePath = text(mostPathBytes, /^\//, {
  words: { what: 'a path', allowed: 'an absolute path' },
});
export const digest = text(64, /^[0-9a-f]{64}$/, {
  words: { what: 'a digest', allowed: '64 lower-case hex digits' },
});
export const executionId = text(64, /^exec_[0-9a-z]{26}$/);
export const taskId = text(64, /^task_[0-9a-z]{26}$/);
export const statePath = text(128, /^[a-z][A-Za-z]*(\.[a-z][A-Za-z]*)*$/);

/** Of records: it was measured, and is not asked for. */
export const measured = number(0, Number.MAX_SAFE_INTEGER);

const account = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}';
/** Of the system that the program runs in. */
export const user = text(129, new RegExp(`^${account}(:${account})?$`), {
  words: { what: 'a user', allowed: 'USER or USER:GROUP, as names or numbers' },
  mayBeEmpty: true,
});

const codes = Object.keys(errorCodes) as ErrorCode[];
export const errorCode: Formed<ErrorCode, WordForm> = formed(
  { kind: 'word', words: codes, what: 'an error code' },
  oneOf(...codes),
);

export const argumentList: Formed<readonly string[], ListForm> = limited(
  list(text(mostArgumentBytes), mostArguments),
  (args) => args.reduce((sum, each) => sum + Buffer.byteLength(each), 0),
);

export const environmentName = text(256, /^[^=]+$/, {
  words: { what: 'a name', allowed: 'a text that is not empty and has no =' },
});

/** Variables; `value` is `text`, or one that may be null where values may be left out. */
export function environment<T extends string | null>(
  value: Check<T>,
): Formed<Readonly<Record<string, T>>, MapForm> {
  return limited(map(value, mostArguments, environmentName), (variables) =>
    Object.entries(variables).reduce(
      (sum, [name, each]) => sum + Buffer.byteLength(name) + Buffer.byteLength(each ?? ''),
      0,
    ),
  );
}

export const environmentValue = text(mostArgumentBytes);

const destinationText = text(300, destinationPattern, { words: destinationWords });

const destination: Formed<string, TextForm> = formed(destinationText.form, (value, place) => {
  const found = destinationText(value, place);
  if (parseDestination(found) !== undefined) return found;
  throw new Mismatch(place, `is ${quote(found)}; allowed is ${destinationWords.allowed}`);
});

/** Where a function may connect to. */
export const networkList = list(destination, 64);

/** Names of files and of variables, and keys that are no paths. */
export const secrets = map(
  text(132, /^(?:env:)?[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/, {
    words: {
      what: 'the key of a secret',
      allowed: 'KEY or env:KEY, where KEY is 1 to 128 of [A-Za-z0-9_.-] and begins with none of "." and "-"',
    },
  }),
  64,
  text(128, /^[A-Za-z_][A-Za-z0-9_]*$/, {
    words: { what: 'the name of a secret', allowed: '[A-Za-z_][A-Za-z0-9_]*' },
  }),
);

export const secretKey = text(128, /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/, {
  words: {
    what: 'the key of a secret',
    allowed: '1 to 128 of [A-Za-z0-9_.-], beginning with none of "." and "-"',
  },
});

export const mostLabels = 32;

const labelKey = text(63, /^(?=.{1,63}$)[A-Za-z0-9](?:[A-Za-z0-9._-]*(?:\/[A-Za-z0-9._-]*)?[A-Za-z0-9])?$/, {
  words: {
    what: 'a key',
    allowed: '1 to 63 of [A-Za-z0-9._/-] that begin and end with a letter or digit and have at most one /',
  },
});

/** For people and for filters, of a task and of its executions. */
export const labels = map(
  text(255, /^\P{Cc}*$/u, { words: { what: 'a value', allowed: 'a text without control characters' } }),
  mostLabels,
  labelKey,
);

/** What a task wants of the labels of a node. */
export const runsOn = map(
  text(255, runsOnPattern, { words: { what: 'a wish for a label', allowed: runsOnWords } }),
  mostLabels,
  labelKey,
);

/** The sizes of all of it together count as well. */
function limited<T, F extends Form>(
  check: Formed<T, F>,
  size: (found: T) => number,
): Formed<T, F & { readonly total: number }> {
  return formed({ ...check.form, total: mostArgumentBytes }, (value, place) => {
    const found = check(value, place);
    const bytes = size(found);
    if (bytes <= mostArgumentBytes) return found;
    throw new Mismatch(place, `has ${bytes} bytes in all; allowed are ${mostArgumentBytes}`);
  });
}

export const priority = oneOf(...priorities);

/** Among executions of one priority that wait for slots. */
export const fairnessKey = text(256);
