/** One value of a request in JSON, checked against the field that it is for. Each throws invalid_argument. */
import { type DescEnum, type JsonValue, ScalarType } from '@bufbuild/protobuf';
import { invalidArgument, quote } from '../../domain/errors.ts';
import { longestText } from './fields.ts';

/** Answers with what is to be read for it. */
export type Check = (value: JsonValue, path: string) => JsonValue;

/** By its name, also without what all names of the enum begin with, or by its number. */
export function enumCheck({ values, sharedPrefix = '' }: DescEnum): Check {
  const prefix = sharedPrefix.toUpperCase();
  const names = new Map<JsonValue, string>();
  for (const { name, number } of values) {
    names.set(number, name);
    names.set(name, name);
    names.set(name.slice(prefix.length), name);
  }
  const short = values.filter(({ number }) => number !== 0).map(({ name }) => name.slice(prefix.length));
  return (value, path) => {
    const found = names.get(typeof value === 'string' ? value.toUpperCase() : value);
    if (found !== undefined) return found;
    throw invalidArgument(path, `${shown(value)} is not known; allowed are ${short.join(', ')}`);
  };
}

const wholeNumbers: Partial<Record<ScalarType, readonly [least: bigint, most: bigint]>> = {
  [ScalarType.INT32]: [-(2n ** 31n), 2n ** 31n - 1n],
  [ScalarType.UINT32]: [0n, 2n ** 32n - 1n],
  [ScalarType.INT64]: [-(2n ** 63n), 2n ** 63n - 1n],
  [ScalarType.UINT64]: [0n, 2n ** 64n - 1n],
};

export function scalarCheck(scalar: ScalarType): Check {
  const range = wholeNumbers[scalar];
  if (range !== undefined) return wholeCheck(...range);
  switch (scalar) {
    case ScalarType.BYTES:
      return checkBytes;
    case ScalarType.STRING:
      return (value, path) => {
        if (typeof value === 'string') return value;
        throw invalidArgument(path, `is ${shown(value)}; allowed is a text`);
      };
    case ScalarType.BOOL:
      return (value, path) => {
        if (typeof value === 'boolean') return value;
        throw invalidArgument(path, `is ${shown(value)}; allowed are true and false`);
      };
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return checkDecimal;
    default:
      return (value) => value;
  }
}

function wholeCheck(least: bigint, most: bigint): Check {
  return (value, path) => {
    const number =
      // A larger one has been rounded already.
      typeof value === 'number' && Number.isSafeInteger(value)
        ? BigInt(value)
        : typeof value === 'string' && /^-?\d{1,20}$/.test(value)
          ? BigInt(value)
          : undefined;
    if (number !== undefined && number >= least && number <= most) return value;
    const asText =
      most > BigInt(Number.MAX_SAFE_INTEGER) ? `, as a text above ${Number.MAX_SAFE_INTEGER}` : '';
    throw invalidArgument(
      path,
      `is ${shown(value)}; allowed is a whole number from ${least} to ${most}${asText}`,
    );
  };
}

const checkDecimal: Check = (value, path) => {
  const isNumber =
    (typeof value === 'number' && Number.isFinite(value)) ||
    (typeof value === 'string' &&
      (/^(NaN|-?Infinity)$/.test(value) || /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(value)));
  if (isNumber) return value;
  throw invalidArgument(path, `is ${shown(value)}; allowed is a number`);
};

/** Standard base64 with padding: what a decoder would pass over is most likely a text that was meant as it is. */
const checkBytes: Check = (value, path) => {
  if (typeof value === 'string' && isBase64(value)) return value;
  const instead = path === 'input' ? '; a text goes into inputText' : '';
  throw invalidArgument(path, `is ${shown(value)}; allowed is standard base64 with padding${instead}`);
};

function isBase64(text: string): boolean {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return false;
  // Bits of the last digit that stand for nothing must not be set.
  const last = text.slice(-4);
  return Buffer.from(last, 'base64').toString('base64') === last;
}

export const textAsBytes: Check = (value, path) => {
  if (typeof value !== 'string') throw invalidArgument(path, `is ${shown(value)}; allowed is a text`);
  if (!value.isWellFormed()) throw invalidArgument(path, 'is not well-formed Unicode');
  return Buffer.from(value).toString('base64');
};

export const checkDuration: Check = (value, path) => {
  const [, whole, fraction = ''] = /^-?(\d+)(\.\d+)?s$/.exec(typeof value === 'string' ? value : '') ?? [];
  if (whole === undefined) {
    throw invalidArgument(path, `is ${shown(value)}; allowed are seconds, such as "1.5s"`);
  }
  if (whole.length > 12) throw invalidArgument(path, `is ${shown(value)}; allowed is at most ${longestText}`);
  if (fraction.length > 10) {
    throw invalidArgument(path, `is ${shown(value)}; allowed are at most nine decimals of a second`);
  }
  return value;
};

export const checkTimestamp: Check = (value, path) => {
  if (typeof value === 'string' && isTime(value)) return value;
  throw invalidArgument(path, `is ${shown(value)}; allowed is a time such as "2026-01-31T12:00:00Z"`);
};

function isTime(text: string): boolean {
  const [, ...parts] =
    /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:Z|[-+](?:[01]\d|2[0-3]):[0-5]\d)$/.exec(
      text,
    ) ?? [];
  const [year = 0, month = 0, day = 0, hour = 24, minute = 60, second = 60] = parts.map(Number);
  // A day that its month has not would be read as one of the next.
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return year > 0 && day > 0 && day <= days && hour < 24 && minute < 60 && second < 60;
}

/** In a message. */
export function shown(value: JsonValue): string {
  if (typeof value === 'string') return quote(value);
  if (value === null || typeof value !== 'object') return String(value);
  return Array.isArray(value) ? 'a list' : 'an object';
}

/** Paths with commas between, of which each name is as in messages or as in JSON. */
export const checkFieldMask: Check = (value, path) => {
  if (typeof value !== 'string' || !/^[\w.,]*$/.test(value)) {
    throw invalidArgument(
      path,
      `is ${shown(value)}; allowed is a text of names with commas between, such as "rate,retry.budget"`,
    );
  }
  return value.replace(/_+([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase());
};
