import type { Invocation } from './execution.ts';
import type { Task, TaskDefinition } from './task.ts';

/** A definition as it comes from a caller: its artifact not yet resolved. */
export type TaskDraft = Omit<TaskDefinition, 'artifact'> & {
  readonly source:
    | { readonly kind: 'content'; readonly content: Uint8Array }
    | { readonly kind: 'path'; readonly path: string }
    | { readonly kind: 'image'; readonly image: string };
  /** Hex digest that the artifact must have; empty means not checked. */
  readonly sha256: string;
};

/** The registered tasks. */
export interface Tasks {
  /** Rejects with a RequestError: invalid_argument, already_exists (`ifAbsent`), unavailable. */
  register(draft: TaskDraft, ifAbsent: boolean): Promise<{ task: Task; changed: boolean }>;
  /** By id or name. Rejects with not_found. */
  get(idOrName: string): Promise<Task>;
  /** By name, names after `afterName`. */
  list(afterName: string, limit: number): Promise<Task[]>;
  remove(idOrName: string): Promise<Task>;
  /**
   * Checks a call against what the task exports. Returns the full name of the function; throws invalid_argument
   * naming the parameter, or not_found with what there is.
   */
  checkCall(task: Task, functionName: string, parameters: Invocation['parameters']): string;
}
