import { MalformedWasm, RefusedFeature } from './binary.ts';

/** The artifact cannot run here; the message goes to whoever sent it. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** Names in an artifact may be 100 KB long. */
const maxLetters = 1000;

/** What whoever sent the artifact is told; throws on what is no fault of the artifact. */
export function describeRefusal(error: unknown): string {
  const words = wordsFor(error);
  return words.length > maxLetters ? `${words.slice(0, maxLetters)}…` : words;
}

function wordsFor(error: unknown): string {
  if (error instanceof RefusedFeature) return `it uses ${error.message}, which is not supported`;
  if (error instanceof Refused || error instanceof MalformedWasm) return error.message;
  throw error;
}

/** Runs a tool over the artifact; where it fails, its words follow ours, the cause that it names included. */
export async function explained<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    throw new Refused(`${what}: ${wordsOf(cause)}`, { cause });
  }
}

/** The tools write a first line, and below `Caused by:` a numbered line for each cause, the last the one that says why. */
function wordsOf(cause: unknown): string {
  const text = String(cause instanceof Error ? cause.message : cause);
  const lines = text
    .split('\n')
    .map((line) => line.replace(/^\s*(\d+:)?\s*/, '').trim())
    .filter((line) => line !== '' && line !== 'Caused by:' && !line.startsWith('at '));
  const [first = '', ...causes] = lines;
  return [first, ...causes.slice(-3)].join(': ').slice(0, 500);
}
