import { dirname } from 'node:path';
import { readYaml, YamlFault } from '../config/yaml.ts';
import { quote } from '../domain/errors.ts';
import { definitionMessage } from '../server/wire/definition-message.ts';
import { mostTextBytes, readSmallFile } from '../small-file.ts';
import { type ArtifactKind, artifactKinds, readArtifact } from './artifact.ts';
import { type Definition, type RuntimeName, resolvePreopens, runtimeNames } from './definition.ts';
import { readFault } from './read-fault.ts';
import { type TaskFields, taskFields } from './task-fields.ts';
import { UsageError } from './usage-error.ts';

/**
 * Reads a task from a YAML or JSON file; paths in it are relative to it. Throws a UsageError that names the field
 * and what is allowed, or the nearest key where one is not known.
 */
export async function readTaskFile(path: string): Promise<Definition> {
  const fields = taskFields('', parse(path, contentOf(path)));
  const folder = dirname(path);
  const { runtime } = fields;
  if (runtime === undefined)
    throw new UsageError(`runtime: is missing; allowed are ${runtimeNames.join(', ')}`);
  if (fields.timeout !== undefined && fields.timeouts?.totalMs !== undefined) {
    throw new UsageError('timeout: is the same as timeouts.total; allowed is one of them');
  }
  if (fields.env !== undefined && fields.environment !== undefined) {
    throw new UsageError('env: is the same as environment; allowed is one of them');
  }
  const { artifact, preopens, timeouts, timeout, env, ...said } = fields;
  return {
    ...definitionMessage.write({
      ...said,
      environment: env ?? said.environment ?? {},
      preopens: resolvePreopens(preopens ?? {}, folder),
      timeouts: { ...timeouts, ...(timeout !== undefined && { totalMs: timeout }) },
    }),
    artifact: await artifactOf(runtime, artifact, folder),
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

function contentOf(path: string): string {
  try {
    return readSmallFile(path, mostTextBytes).toString();
  } catch (error) {
    throw new UsageError(`--file: cannot read ${quote(path)}: ${readFault(error)}`);
  }
}

function parse(path: string, source: string): unknown {
  try {
    return readYaml(source).document.toJS();
  } catch (error) {
    if (!(error instanceof YamlFault)) throw error;
    throw new UsageError(`--file: ${path}:${error.line}: ${error.message}`);
  }
}
