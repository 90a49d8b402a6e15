import { dirname } from 'node:path';
import { parseDocument } from 'yaml';
import { ErrorCode } from '../server/gen/spearlet/function_pb.js';
import { type ArtifactKind, artifactKinds, readArtifact } from './artifact.ts';
import {
  type Definition,
  optionalBytes,
  optionalDuration,
  policies,
  pulls,
  type RuntimeName,
  resolvePreopens,
  runtimeNames,
  runtimes,
} from './definition.ts';
import { interruptionOf } from './interruption.ts';
import { readLocalFile } from './local-file.ts';
import { type TaskFields, taskFields } from './task-fields.ts';
import { UsageError } from './usage-error.ts';

/**
 * Reads a task from a YAML or JSON file; paths in it are relative to it. Throws a UsageError that names the field
 * and what is allowed, or the nearest key where one is not known.
 */
export async function readTaskFile(path: string): Promise<Definition> {
  const source = new TextDecoder().decode(await readLocalFile('--file', path));
  const fields = taskFields('', parse(path, source));
  const folder = dirname(path);
  const { runtime, timeout, timeouts, env, environment } = fields;
  if (runtime === undefined)
    throw new UsageError(`runtime: is missing; allowed are ${runtimeNames.join(', ')}`);
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
    artifact: await artifactOf(runtime, fields.artifact, folder),
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
    limits: limitsOf(fields.limits),
    retry: retryOf(fields.retry),
    user: fields.user ?? '',
    workingDirectory: fields.workingDirectory ?? '',
    ...(fields.instancePolicy !== undefined && { instancePolicy: policies[fields.instancePolicy] }),
    // Not every runtime takes these two, so that an empty one is not the same as none.
    ...(fields.container !== undefined && { container: containerOf(fields.container) }),
    ...(fields.warm !== undefined && { warm: warmOf(fields.warm) }),
    ...interruptionOf(fields),
  };
}

function artifactOf(runtime: RuntimeName, artifact: TaskFields['artifact'], folder: string) {
  if (typeof artifact === 'string') return readArtifact('artifact', runtime, { text: artifact, folder });
  const given: { kind: ArtifactKind; text: string }[] = [];
  for (const kind of artifactKinds) {
    const text = artifact?.[kind];
    if (text !== undefined) given.push({ kind, text });
  }
  const [where] = given;
  if (where === undefined) {
    throw new UsageError(
      'artifact: is missing; allowed is a path, or an image for docker, or a url for wasm',
    );
  }
  if (given.length > 1) {
    throw new UsageError(
      `artifact: has ${given.map(({ kind }) => kind).join(' and ')}; allowed is one of them`,
    );
  }
  return readArtifact(`artifact.${where.kind}`, runtime, { ...where, folder, sha256: artifact?.sha256 });
}

function limitsOf(limits: TaskFields['limits']): NonNullable<Definition['limits']> {
  return {
    memory: optionalBytes(limits?.memory),
    cpu: limits?.cpu,
    cpuTime: optionalDuration(limits?.cpuTime),
    processes: limits?.processes,
    openFiles: limits?.openFiles,
    fileSize: optionalBytes(limits?.fileSize),
    maxOutputBytes: optionalBytes(limits?.maxOutputBytes),
    maxOutputEvents: optionalBytes(limits?.maxOutputEvents),
  };
}

function retryOf(retry: TaskFields['retry']): NonNullable<Definition['retry']> {
  return {
    maxAttempts: retry?.maxAttempts,
    initial: optionalDuration(retry?.initial),
    factor: retry?.factor,
    max: optionalDuration(retry?.max),
    jitter: retry?.jitter,
    on: (retry?.on ?? []).map((code) => ErrorCode[code]),
  };
}

function containerOf(container: NonNullable<TaskFields['container']>): NonNullable<Definition['container']> {
  const { command = [], network = '', capabilities = [], pull, tmpfsSize } = container;
  return {
    command,
    network,
    capabilities,
    writableRoot: container.writableRoot ?? false,
    allowNewPrivileges: container.allowNewPrivileges ?? false,
    tmpfsSize: optionalBytes(tmpfsSize),
    ...(pull !== undefined && { pull: pulls[pull] }),
  };
}

function warmOf(warm: NonNullable<TaskFields['warm']>): NonNullable<Definition['warm']> {
  return {
    min: warm.min,
    max: warm.max,
    idleTimeout: optionalDuration(warm.idleTimeout),
    maxUses: warm.maxUses,
    startAhead: warm.startAhead ?? false,
  };
}

function parse(path: string, source: string): unknown {
  const document = parseDocument(source, { schema: 'failsafe' });
  const [problem] = document.errors;
  if (problem?.code === 'MULTIPLE_DOCS') {
    throw new UsageError(`--file: ${path} has several documents; allowed is one task in a file`);
  }
  if (problem !== undefined) {
    throw new UsageError(
      `--file: ${path} is not YAML or JSON: ${problem.message.split('\n', 1)[0]?.replace(/:$/, '')}`,
    );
  }
  return document.toJS();
}
