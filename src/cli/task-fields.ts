/** Every key that a task file may have, and what may stand there. */
import { type ErrorCode as DomainCode, errorCodes } from '../domain/errors.ts';
import { policyNames, pullNames, runtimeNames } from './definition.ts';
import * as read from './document.ts';
import { parseDelay, parseDuration } from './duration.ts';
import { interruptNames, timerPolicyNames } from './interruption.ts';
import { parseSize } from './size.ts';
import {
  parseAbsolutePath,
  parseAttempts,
  parseCores,
  parseCpuTime,
  parseDigest,
  parseInstances,
  parseNetwork,
  parseOpenFiles,
  parseProcesses,
  parseRecoveries,
  parseUser,
  parseUses,
} from './task-value.ts';

const duration = read.parsed(parseDuration);
const delay = read.parsed(parseDelay);
const size = read.parsed(parseSize);
const timer = read.word(timerPolicyNames);
// The closed list's own keys.
const codeNames = Object.keys(errorCodes) as DomainCode[];

const artifactFields = read.section({
  path: read.text,
  image: read.text,
  url: read.text,
  sha256: read.parsed(parseDigest),
});

/** In the order of the manual; keys that are not known are refused with it. */
export const taskFields = read.section({
  name: read.text,
  description: read.text,
  runtime: read.word(runtimeNames),
  /** A path, image or URL alone, or with a digest that it must have. */
  artifact: (field, node) => (typeof node === 'string' ? node : artifactFields(field, node)),
  args: read.list(read.text),
  env: read.map(read.text),
  environment: read.map(read.text),
  preopens: read.map(read.text),
  allowNetwork: read.truth,
  timeout: duration,
  timeouts: read.section({ queue: duration, attempt: duration, total: duration }),
  grace: duration,
  limits: read.section({
    memory: size,
    cpu: read.parsed(parseCores),
    cpuTime: read.parsed(parseCpuTime),
    processes: read.parsed(parseProcesses),
    openFiles: read.parsed(parseOpenFiles),
    fileSize: size,
    maxOutputBytes: size,
    maxOutputEvents: read.wholeNumber,
  }),
  retry: read.section({
    maxAttempts: read.parsed(parseAttempts),
    initial: delay,
    factor: read.number,
    max: delay,
    jitter: read.number,
    on: read.list(read.word(codeNames)),
  }),
  instancePolicy: read.word(policyNames),
  user: read.parsed(parseUser),
  workingDirectory: read.parsed(parseAbsolutePath),
  container: read.section({
    command: read.list(read.text),
    pull: read.word(pullNames),
    network: read.parsed(parseNetwork),
    writableRoot: read.truth,
    capabilities: read.list(read.text),
    tmpfsSize: size,
    allowNewPrivileges: read.truth,
  }),
  warm: read.section({
    min: read.parsed(parseInstances),
    max: read.parsed(parseInstances),
    idleTimeout: duration,
    maxUses: read.parsed(parseUses),
    startAhead: read.truth,
  }),
  onInterrupt: read.word(interruptNames),
  maxRecoveries: read.parsed(parseRecoveries),
  timers: read.section({ start: timer, queue: timer, attempt: timer, total: timer }),
});

export type TaskFields = ReturnType<typeof taskFields>;

/** The key of a task file that somebody means who writes it as a flag: `retry`, `retry.max_attempts`. */
export function taskFileKey(flag: string): string | undefined {
  const wanted = flag.replaceAll('-', '_');
  const { fields } = taskFields;
  const top = Object.keys(fields).map(read.snakeCase);
  if (top.includes(wanted)) return wanted;
  for (const [name, reader] of Object.entries(fields)) {
    if (!('fields' in reader)) continue;
    const under = Object.keys(reader.fields).map(read.snakeCase);
    const found = under.find((each) => each === wanted || `${read.snakeCase(name)}_${each}` === wanted);
    if (found !== undefined) return `${read.snakeCase(name)}.${found}`;
  }
  return undefined;
}
