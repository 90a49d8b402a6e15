import { LruMap } from '../../domain/lru-map.ts';
import type { ExecutionResult } from '../../server/gen/spearlet/function_pb.js';
import type { WatchNodeResponse } from '../../server/gen/spearlet/node_pb.js';
import { statusWords } from '../execution-status.ts';
import { printable } from '../printable.ts';

/** Executions whose line is known; those told longest ago are forgotten, and may be told once more. */
const mostKnown = 10_000;

/** The news of a node as lines: none for an execution of which only what no line says has changed, as its output. */
export class ChangeLines {
  readonly #told = new LruMap<string, string>(mostKnown);

  of({ executions, deletedExecutionIds }: WatchNodeResponse): readonly string[] {
    const lines: string[] = [];
    for (const result of executions) {
      const line = lineOf(result);
      if (line !== this.#told.peek(result.executionId)) lines.push(line);
      this.#told.set(result.executionId, line);
    }
    for (const executionId of deletedExecutionIds) {
      this.#told.delete(executionId);
      lines.push(`${executionId} deleted`);
    }
    return lines;
  }
}

function lineOf(result: ExecutionResult): string {
  const attempt = result.attempt > 1 ? `, attempt ${result.attempt}` : '';
  return `${result.executionId} ${printable(result.taskName)} ${statusWords(result)}${attempt}`;
}
