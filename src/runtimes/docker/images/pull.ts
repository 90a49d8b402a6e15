import type { ArtifactProgress } from '../../../domain/tasks.ts';
import { EngineError } from '../engine/engine-error.ts';
import { type EngineWire, parsed } from '../engine/wire.ts';

const maxLineBytes = 256 * 1024;
const newline = 10;

/**
 * Has the engine fetch an image and follows it. Rejects with an EngineError, or with the signal's reason, which also
 * ends the fetching.
 */
export async function pullImage(
  wire: EngineWire,
  reference: string,
  progress: (step: ArtifactProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    const path = `/images/create?fromImage=${encodeURIComponent(reference)}`;
    const answer = await wire.open('POST', path, signal);
    for await (const line of linesOf(answer)) {
      const step = parsed(line);
      if (typeof step === 'object' && step !== null) take(step, progress);
    }
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof EngineError) throw cause;
    throw new EngineError('the engine broke off while it fetched the image', { cause });
  }
}

/** A line of the engine's account. Its keys are optional and whatever a registry made of them. */
interface PullLine {
  readonly id?: unknown;
  readonly status?: unknown;
  readonly error?: unknown;
  readonly progressDetail?: { readonly current?: unknown; readonly total?: unknown } | null;
}

function take(line: PullLine, progress: (step: ArtifactProgress) => void): void {
  // The answer began with 200, so what the engine found out later has no status of its own.
  if (typeof line.error === 'string') throw new EngineError(line.error, { status: 500 });
  if (typeof line.status !== 'string') return;
  progress({
    part: typeof line.id === 'string' ? line.id : '',
    status: line.status,
    doneBytes: bytes(line.progressDetail?.current),
    totalBytes: bytes(line.progressDetail?.total),
  });
}

function bytes(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value : 0;
}

/** Lines as they come; one that is too long to be progress is left out. */
async function* linesOf(source: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let begun: Buffer[] = [];
  let size = 0;
  for await (const chunk of source) {
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      size += end - from;
      if (size <= maxLineBytes) yield Buffer.concat([...begun, chunk.subarray(from, end)]).toString();
      begun = [];
      size = 0;
      from = end + 1;
    }
    size += chunk.length - from;
    if (size <= maxLineBytes) begun.push(chunk.subarray(from));
    else begun = [];
  }
  if (size > 0 && size <= maxLineBytes) yield Buffer.concat(begun).toString();
}
