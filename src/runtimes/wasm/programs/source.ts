import { invalidArgument } from '../../../domain/errors.ts';
import type { Artifact } from '../../../domain/task.ts';
import type { TaskDraft } from '../../../domain/tasks.ts';
import { download } from '../../download.ts';
import type { Fetching } from '../../runtime.ts';
import { digestOf } from './artifact-cache.ts';

export interface SourceOptions {
  /** Keeps bytes under their digest; durable when it resolves. */
  readonly saveArtifact: (
    bytes: Uint8Array,
  ) => Promise<{ readonly sha256: string; readonly sizeBytes: number }>;
  /** Bytes of the largest artifact that is taken. */
  readonly maxArtifactBytes: number;
  /** Artifacts may be fetched from hosts that are not public. */
  readonly allowPrivateHosts: boolean;
  /** Certificate authorities to trust when fetching, as PEM, instead of those that come with Node. */
  readonly ca?: string;
}

/**
 * Takes or fetches the bytes that a draft names, and keeps them once they are what the draft says they are.
 *
 * @throws RequestError as `Runtime.resolve` says, or the signal's reason where that ended it
 */
export async function resolveArtifact(
  draft: TaskDraft,
  fetching: Fetching,
  options: SourceOptions,
): Promise<Artifact> {
  const { source } = draft;
  if (source.kind === 'content') return keep(source.content, draft.sha256, options);
  if (source.kind === 'url') {
    const bytes = await download(source.url, {
      maxBytes: options.maxArtifactBytes,
      allowPrivateHosts: options.allowPrivateHosts,
      ...fetching,
      ...(options.ca !== undefined && { ca: options.ca }),
    });
    return { ...(await keep(bytes, draft.sha256, options)), url: source.url };
  }
  throw invalidArgument(
    'definition.artifact',
    `a wasm task cannot have a ${source.kind}; allowed are content and url`,
  );
}

async function keep(bytes: Uint8Array, expected: string, options: SourceOptions) {
  const { maxArtifactBytes, saveArtifact } = options;
  if (bytes.length > maxArtifactBytes) {
    throw invalidArgument(
      'definition.artifact.content',
      `is ${bytes.length} bytes; allowed is at most ${maxArtifactBytes}`,
    );
  }
  if (expected !== '') {
    const found = await digestOf(bytes);
    if (found !== expected) throw invalidArgument('definition.artifact.sha256', `the content has ${found}`);
  }
  const { sha256, sizeBytes } = await saveArtifact(bytes);
  return { kind: 'wasm', sha256, sizeBytes } as const;
}
