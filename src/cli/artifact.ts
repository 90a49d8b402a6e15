/** What a task runs: a file of ours, a path on the server, an image or a URL, as its runtime takes it. */
import { resolve } from 'node:path';
import { quote } from '../domain/errors.ts';
import type { Definition, RuntimeName } from './definition.ts';
import { readLocalFile } from './local-file.ts';
import { UsageError } from './usage-error.ts';

type Artifact = NonNullable<Definition['artifact']>;

export const artifactKinds = ['path', 'image', 'url'] as const;
export type ArtifactKind = (typeof artifactKinds)[number];

const kindsOf: Readonly<Record<RuntimeName, readonly ArtifactKind[]>> = {
  wasm: ['path', 'url'],
  process: ['path'],
  docker: ['image'],
};

const allowedFor: Readonly<Record<RuntimeName, string>> = {
  wasm: 'a file here or an https:// URL',
  process: 'a path on the server',
  docker: 'an image, such as alpine:3.20',
};

interface Where {
  /** Absent where the text alone says it. */
  readonly kind?: ArtifactKind;
  readonly text: string;
  /** What paths are relative to. */
  readonly folder: string;
  readonly sha256?: string | undefined;
}

/** Reads the bytes of a file of ours; all else is for the server to find. Throws a UsageError that names `field`. */
export async function readArtifact(field: string, runtime: RuntimeName, where: Where): Promise<Artifact> {
  const { text, folder, sha256 = '' } = where;
  const kind = where.kind ?? kindOf(runtime, text);
  if (!kindsOf[runtime].includes(kind)) {
    throw new UsageError(
      `${field}: is the ${kind} ${quote(text)}; allowed for ${runtime} is ${allowedFor[runtime]}`,
    );
  }
  switch (kind) {
    case 'url':
      return { source: { case: 'url', value: secureUrl(field, text) }, sha256 };
    case 'image':
      return { source: { case: 'image', value: text }, sha256 };
    case 'path': {
      const path = resolve(folder, text);
      if (runtime === 'process') return { source: { case: 'path', value: path }, sha256 };
      return { source: { case: 'content', value: await readLocalFile(field, path) }, sha256 };
    }
  }
}

function kindOf(runtime: RuntimeName, text: string): ArtifactKind {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return 'url';
  return runtime === 'docker' ? 'image' : 'path';
}

function secureUrl(field: string, text: string): string {
  if (/^http:/i.test(text)) {
    throw new UsageError(
      `${field}: is ${quote(text)}, which anyone on the way can change; allowed is https://, or a file here`,
    );
  }
  if (!/^https:\/\//i.test(text) || !URL.canParse(text)) {
    throw new UsageError(`${field}: is ${quote(text)}; allowed is a URL with https://, or a file here`);
  }
  return text;
}
