import { createHash } from 'node:crypto';
import type { Dependency } from '../domain/dependency.ts';
import type { Invocation } from '../domain/execution.ts';

/**
 * Hex SHA-256 over what makes two requests with one invocation id the same: task, function, parameters, input,
 * content type, args, environment and what it follows. Maps are in the order of their keys already; nested objects are put so here.
 */
export function payloadDigest(
  taskId: string,
  invocation: Invocation,
  dependsOn?: readonly Dependency[],
): string {
  const input = createHash('sha256').update(invocation.input).digest('hex');
  const { functionName, parameters, contentType, args, environment } = invocation;
  return createHash('sha256')
    .update(
      JSON.stringify(
        [
          ...[taskId, functionName, parameters, input, contentType, args, environment],
          ...(dependsOn === undefined ? [] : [dependsOn]),
        ],
        canonical,
      ),
    )
    .digest('hex');
}

function canonical(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
