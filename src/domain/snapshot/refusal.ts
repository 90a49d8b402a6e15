import { RequestError } from '../errors.ts';

/** The document is not whole, was changed, or is none. `line` is from 1. */
export function damaged(line: number, description: string): RequestError {
  const message = `line ${line}: ${description}`;
  return new RequestError('invalid_argument', `the snapshot cannot be read: ${message}`, {
    reason: 'SNAPSHOT_DAMAGED',
    violations: [{ field: 'snapshot', description: message }],
    metadata: { line: String(line) },
  });
}

/** A document of another version of the envelope. */
export function unknownVersion(version: string, known: readonly number[]): RequestError {
  const list = known.join(', ');
  return new RequestError(
    'failed_precondition',
    `the snapshot is of version ${version}; this node knows ${list}: restore it on a node of another version of Spear`,
    { reason: 'SNAPSHOT_VERSION_UNKNOWN', metadata: { version, known: list } },
  );
}
