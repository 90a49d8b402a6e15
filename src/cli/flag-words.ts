/** Fields of a request as the flags that gave them: what the server refuses is told in the words of the command line. */

import { taskFlags } from './task-flags.ts';

type Words = readonly (readonly [field: string, flag: string])[];

/** A field that is a map or a list: its entry comes after the flag. */
const invokeWords: Words = [
  ['task', 'TASK'],
  ['function_name', '--function'],
  ['parameters', '--param'],
  ['input', '--input'],
  ['content_type', '--content-type'],
  ['execution_mode', '--mode'],
  ['args', '--arg'],
  ['environment', '--env'],
  ['timeouts.queue', '--queue-timeout'],
  ['timeouts.attempt', '--attempt-timeout'],
  ['timeouts.total', '--timeout'],
  ['wait_budget', '--wait-budget'],
  ['start_after', '--start-after'],
  ['invocation_id', '--invocation-id'],
  ['metadata', '--metadata'],
  ['labels', '--label'],
  ['depends_on', '--after'],
];

const taskWords: Words = [
  ['definition.name', 'NAME'],
  ['definition.args', 'ARG'],
  ['definition.artifact.sha256', '--sha256'],
  ...['path', 'image', 'url', 'content'].map((key) => [`definition.artifact.${key}`, '--artifact'] as const),
  ...taskFlags.map(({ key, name }) => [`definition.${key}`, name] as const),
];

const listWords: Words = [
  ['task', '--task'],
  ['statuses', '--status'],
  ['created_after', '--since'],
  ['created_before', '--until'],
  ['schedule', '--schedule'],
  ['labels', '--label'],
];

const tokenWords: Words = [
  ['name', 'NAME'],
  ['tasks', '--task'],
  ['certificate_names', '--san'],
  ['expires_at', '--expires'],
];

/** Of every command. */
const commonWords: Words = [
  ['spear-tenant', '--tenant'],
  ['all_tenants', '--all-tenants'],
];

/** Of a command that is about one execution, or one task. */
const referenceWords: Words = [
  ['execution_id', 'ID'],
  ['from_sequence', '--from'],
  ['task', 'TASK'],
];

export const inReferenceWords = rewording(referenceWords);
export const inInvokeFlags = rewording(invokeWords);
export const inTaskFlags = rewording(taskWords);
export const inLimitFlags = rewording([
  ['task', 'TASK'],
  ['expected_revision', '--expect'],
  ...taskFlags.map(({ key, name }) => [`definition.${key}`, name] as const),
]);
export const inRevisionWords = rewording([
  ['task', 'TASK'],
  ['from', 'FROM'],
  ['to', 'TO'],
  ['alias', 'ALIAS'],
  ['shares', 'ALIAS=REVISION'],
  ['expected_version', '--expect-version'],
]);
export const inRerunFlags = rewording([
  ['execution_id', 'ID'],
  ['execution_ids', 'ID'],
  ['filter.task', '--task'],
  ['filter.batch_id', '--batch'],
  ['filter.schedule', '--schedule'],
  ['filter.statuses', '--status'],
  ['filter.created_after', '--since'],
  ['filter.created_before', '--until'],
  ['filter.error_codes', '--code'],
  ['rerun_id', '--rerun-id'],
  ['max_in_flight', '--max-in-flight'],
  ['revision', '--revision'],
  ['labels', '--label'],
]);
export const inTokenFlags = rewording(tokenWords);
export const inQuotaFlags = rewording([
  ['tenant', 'TENANT'],
  ['quota.memory_bytes', '--memory'],
  ['quota.stored_bytes', '--stored'],
  ['quota.rate', '--rate'],
]);
export const inBatchWords = rewording([
  ['batch_id', 'ID'],
  ['invocation_id', '--invocation-id'],
  ['from_sequence', '--from'],
]);
export const inScheduleFlags = rewording([
  ...invokeWords
    .filter(([field]) => field !== 'task')
    .map(([field, flag]) => [`definition.invocation.${field}`, flag] as const),
  ['task', '--task'],
  ['definition.invocation.task', '--task'],
  ['definition.name', 'NAME'],
  ['name', 'NAME'],
  ['definition.cron', '--cron'],
  ['definition.interval', '--every'],
  ['definition.timezone', '--timezone'],
  ['definition.overlap', '--overlap'],
  ['definition.catch_up', '--catch-up'],
  ['definition.jitter', '--jitter'],
  ['definition.start_at', '--start-at'],
  ['definition.end_at', '--end-at'],
  ['definition.description', '--description'],
  ['expected_revision', '--expected-revision'],
  ['pause_reason', '--paused'],
  ['reason', '--reason'],
  ['from', '--from'],
  ['to', '--to'],
  ['limit', '--limit'],
]);
export const inListFlags = rewording(listWords);

/** A task file has the fields themselves, without the message around them. */
export function inTaskFile(message: string): string {
  return message.replace(/(^|; )definition\.(?=\w)/g, '$1');
}

/** Only what a message, or one of several in it, begins with is a field. */
function rewording(words: Words): (message: string) => string {
  const flags = new Map([...commonWords, ...words]);
  // The longer field first: `limits.cpu` begins `limits.cpu_time`.
  const fields = [...flags.keys()]
    .sort((a, b) => b.length - a.length)
    .map((field) => field.replaceAll('.', '\\.'));
  const pattern = new RegExp(`(^|; )(${fields.join('|')})(?:\\.([^:]*))?(\\[\\d+\\])?(?=:)`, 'g');
  return (message) =>
    message.replace(pattern, (_all, before: string, field: string, entry?: string, index?: string) => {
      const flag = flags.get(field) ?? field;
      return `${before}${flag}${entry === undefined ? '' : ` ${entry}`}${index ?? ''}`;
    });
}
