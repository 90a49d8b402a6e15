/** A task as people read it: an entry for each of what it says. */
import { durationMs, type Timestamp, timestampDate } from '@bufbuild/protobuf/wkt';
import { type Form, kebabCase, type ObjectForm, spokenName } from '../domain/schema/form.ts';
import type { Task } from '../server/gen/spearlet/task_pb.js';
import type { ShownField } from '../server/wire/definition-message.ts';
import { durationText } from './duration.ts';
import { printable } from './printable.ts';
import { sizeText } from './size.ts';

export type Entry = [string, string];

/** A field as its form says; the fields of most objects a line each. */
export function schemaEntries({ name, form, about, value }: ShownField): Entry[] {
  const title = about.shown ?? kebabCase(spokenName(name, form)).replaceAll('-', ' ');
  if (title === '') return [];
  if (form.kind === 'object') {
    const fields = value as readonly ShownField[];
    if (form.line !== undefined) return [[title, fieldsText(fields)]];
    if (!isOfWords(form)) return fields.flatMap(schemaEntries);
    return [[title, fields.map((each) => `${each.name} ${each.value}`).join(', ')]];
  }
  if (form.kind === 'map') {
    return Object.entries(Object(value)).map(([key, each]): Entry => [title, `${key}=${each}`]);
  }
  if (form.kind === 'list' && form.item.kind === 'object') {
    return (value as readonly (readonly ShownField[])[]).map((fields): Entry => [title, fieldsText(fields)]);
  }
  const text = valueText(form, value);
  return [[title, about.isMost === true ? `${text} at most` : text]];
}

/** `key task, limit 2`. */
function fieldsText(fields: readonly ShownField[]): string {
  return fields
    .map(({ name, form, value }) => {
      const title = kebabCase(spokenName(name, form)).replaceAll('-', ' ');
      return `${title} ${valueText(form, value)}`;
    })
    .join(', ');
}

function isOfWords({ fields }: ObjectForm): boolean {
  return [...fields.values()].every(({ form }) => form.kind === 'word');
}

function valueText(form: Form, value: unknown): string {
  if (form.kind === 'list') return commandText(value as readonly string[]);
  if (form.kind === 'truth') return value === true ? 'yes' : 'no';
  if (form.kind === 'duration') return durationText(Number(value));
  if ('unit' in form && form.unit === 'bytes') return sizeText(Number(value));
  if ('unit' in form && form.unit === 'cores') return `${value} cores`;
  return String(value);
}

function commandText(words: readonly string[]): string {
  return words.map((word) => JSON.stringify(word)).join(' ');
}

/** Since when, why, and what ends it. */
export function quarantineEntries({ quarantine }: Task): Entry[] {
  if (quarantine === undefined) return [];
  const { since, failures, lastError, failedProbes, nextProbeAt } = quarantine;
  const tried = failedProbes === 0 ? '' : `; ${failedProbes} tried and failed since then`;
  return [
    [
      'quarantined',
      `since ${instantText(since)}: ${failures} attempts failed, the last with ${printable(lastError, 500)}${tried}`,
    ],
    ['next try', nextProbeAt === undefined ? 'now' : instantText(nextProbeAt)],
  ];
}

/** What its cache has done since the start of the node. */
export function savingsEntries({ cacheSavings: savings }: Task): Entry[] {
  if (savings === undefined) return [];
  const { hits, misses, shared, savedTime, savedCpuTime, entries, bytes } = savings;
  const cpu = savedCpuTime === undefined ? 0 : durationMs(savedCpuTime);
  const saved = durationText(savedTime === undefined ? 0 : durationMs(savedTime));
  return [
    ['cached', `${entries} results, ${sizeText(Number(bytes))}`],
    ['used', `${hits} hits, ${shared} shared, ${misses} misses since the start of the node`],
    ['saved', `${saved}${cpu > 0 ? `, ${durationText(cpu)} of processor time` : ''}`],
  ];
}

function instantText(at: Timestamp | undefined): string {
  return at === undefined ? '-' : timestampDate(at).toISOString();
}
