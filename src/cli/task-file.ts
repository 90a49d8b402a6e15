import { dirname } from 'node:path';
import { parseDocument } from 'yaml';
import { type ErrorCode as DomainCode, errorCodes } from '../domain/errors.ts';
import { ErrorCode } from '../server/gen/spearlet/function_pb.js';
import {
  type Definition,
  optionalBytes,
  optionalDuration,
  policies,
  policyNames,
  readArtifact,
  resolvePreopens,
  runtimeNames,
  runtimes,
} from './definition.ts';
import * as read from './document.ts';
import { parseDelay, parseDuration } from './duration.ts';
import { readLocalFile } from './local-file.ts';
import { parseSize } from './size.ts';
import { UsageError } from './usage-error.ts';

const duration: read.Reader<number> = (field, node) => parseDuration(field, read.text(field, node));
const delay: read.Reader<number> = (field, node) => parseDelay(field, read.text(field, node));
const size: read.Reader<number> = (field, node) => parseSize(field, read.text(field, node));
// The closed list's own keys.
const codeNames = Object.keys(errorCodes) as DomainCode[];

const artifactFields = read.section({ path: read.text, image: read.text, sha256: read.text });

const taskFields = read.section({
  name: read.text,
  description: read.text,
  runtime: read.word(runtimeNames),
  /** A path or image alone, or with a digest that it must have. */
  artifact: (field, node) => (typeof node === 'string' ? { path: node } : artifactFields(field, node)),
  args: read.list(read.text),
  env: read.map(read.text),
  environment: read.map(read.text),
  preopens: read.map(read.text),
  allowNetwork: read.truth,
  timeout: duration,
  timeouts: read.section({ queue: duration, attempt: duration, total: duration }),
  grace: duration,
  limits: read.section({ memory: size, maxOutputBytes: size, maxOutputEvents: read.wholeNumber }),
  retry: read.section({
    maxAttempts: read.wholeNumber,
    initial: delay,
    factor: read.number,
    max: delay,
    jitter: read.number,
    on: read.list(read.word(codeNames)),
  }),
  instancePolicy: read.word(policyNames),
});

/**
 * Reads a task from a YAML or JSON file; paths in it are relative to it. Throws a UsageError that names the field
 * and what is allowed, or the nearest key where one is not known.
 */
export async function readTaskFile(path: string): Promise<Definition> {
  const source = new TextDecoder().decode(await readLocalFile('--file', path));
  const fields = taskFields('', parse(path, source));
  const folder = dirname(path);
  const { runtime, artifact, timeout, timeouts, limits, retry, env, environment } = fields;
  if (runtime === undefined)
    throw new UsageError(`runtime: is missing; allowed are ${runtimeNames.join(', ')}`);
  const where = artifact?.path ?? artifact?.image;
  if (where === undefined)
    throw new UsageError('artifact: is missing; allowed is a path, or an image for docker');
  if (artifact?.path !== undefined && artifact.image !== undefined) {
    throw new UsageError('artifact: has both path and image; allowed is one of them');
  }
  if (timeout !== undefined && timeouts?.total !== undefined) {
    throw new UsageError('timeout: is the same as timeouts.total; allowed is one of them');
  }
  if (env !== undefined && environment !== undefined) {
    throw new UsageError('env: is the same as environment; allowed is one of them');
  }
  return {
    name: fields.name ?? '',
    description: fields.description ?? '',
    runtime: runtimes[runtime],
    artifact: await readArtifact('artifact', runtime, where, folder, artifact?.sha256),
    args: fields.args ?? [],
    environment: env ?? environment ?? {},
    preopens: resolvePreopens(fields.preopens ?? {}, folder),
    allowNetwork: fields.allowNetwork ?? false,
    timeouts: {
      queue: optionalDuration(timeouts?.queue),
      attempt: optionalDuration(timeouts?.attempt),
      total: optionalDuration(timeout ?? timeouts?.total),
    },
    grace: optionalDuration(fields.grace),
    limits: {
      memory: optionalBytes(limits?.memory),
      maxOutputBytes: optionalBytes(limits?.maxOutputBytes),
      maxOutputEvents: optionalBytes(limits?.maxOutputEvents),
    },
    retry: {
      maxAttempts: retry?.maxAttempts,
      initial: optionalDuration(retry?.initial),
      factor: retry?.factor,
      max: optionalDuration(retry?.max),
      jitter: retry?.jitter,
      on: (retry?.on ?? []).map((code) => ErrorCode[code]),
    },
    ...(fields.instancePolicy !== undefined && { instancePolicy: policies[fields.instancePolicy] }),
  };
}

function parse(path: string, source: string): unknown {
  const document = parseDocument(source, { schema: 'failsafe' });
  const [problem] = document.errors;
  if (problem !== undefined) {
    throw new UsageError(
      `--file: ${path} is not YAML or JSON: ${problem.message.split('\n', 1)[0]?.replace(/:$/, '')}`,
    );
  }
  return document.toJS();
}
