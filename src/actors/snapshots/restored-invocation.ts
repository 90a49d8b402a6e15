import { invalidArgument } from '../../domain/errors.ts';
import type { ExecutionRecord, Invocation } from '../../domain/execution.ts';
import type { InvocationPart, RedactedEnvironment } from '../../domain/snapshot/parts.ts';
import type { TaskDefinition } from '../../domain/task.ts';
import { valuesMissing } from './restore-refusal.ts';

type Given = Readonly<Record<string, string>>;

/** Bytes as their pieces come. */
export class Content {
  readonly bytes: Uint8Array;
  #filled = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  add(data: Uint8Array): void {
    this.bytes.set(data, this.#filled);
    this.#filled += data.byteLength;
  }
}

/** What a document asks to run, with the values that the caller of the restore adds. */
export class RestoredInvocation {
  readonly input: Content;
  readonly #part: InvocationPart['invocation'];
  readonly #given: Given;

  constructor(part: InvocationPart['invocation'], given: Given) {
    this.#part = part;
    this.#given = given;
    this.input = new Content(part.inputBytes);
  }

  /** Some variable has no value. */
  get lacks(): boolean {
    return missingValues(this.#part.environment, this.#given).length > 0;
  }

  /** Throws invalid_argument for a value that neither this nor `ofTask` has left out. */
  checkGiven(ofTask: RedactedEnvironment): void {
    const { environment } = this.#part;
    const unknown = Object.keys(this.#given).find(
      (name) => !isRedacted(environment, name) && !isRedacted(ofTask, name),
    );
    if (unknown === undefined) return;
    throw invalidArgument(
      `options.environment.${unknown}`,
      'is not left out of this snapshot; allowed are the names of those that are',
    );
  }

  /** Throws invalid_argument for a value that the task of this node would not run with, as it has its own. */
  checkOwn(ofTask: RedactedEnvironment, { name: taskName, environment: own }: TaskDefinition): void {
    const other = Object.keys(this.#given).find(
      (name) =>
        isRedacted(ofTask, name) &&
        !isRedacted(this.#part.environment, name) &&
        own[name] !== this.#given[name],
    );
    if (other === undefined) return;
    throw invalidArgument(
      `options.environment.${other}`,
      `is not the value that task ${taskName} has on this node; leave it out to run with the node's own, or register the task with this one first`,
    );
  }

  /** Throws failed_precondition that names the variables of this and `ofTask` whose values nobody has. */
  checkComplete(ofTask: RedactedEnvironment): void {
    const missing = [this.#part.environment, ofTask].flatMap((each) => missingValues(each, this.#given));
    if (missing.length > 0) throw valuesMissing(missing);
  }

  /** Variables that nobody has a value for are left out. */
  of({ functionName, contentType }: ExecutionRecord): Invocation {
    const { inputBytes: _inputBytes, environment, ...rest } = this.#part;
    return {
      ...rest,
      functionName,
      contentType,
      environment: completed(environment, this.#given),
      input: this.input.bytes,
    };
  }
}

/** The same with the values that were given, and without those that nobody has. */
export function completed(environment: RedactedEnvironment, given: Given): Readonly<Record<string, string>> {
  const found: [string, string][] = [];
  for (const [name, value] of Object.entries(environment)) {
    const known = value ?? (Object.hasOwn(given, name) ? given[name] : undefined);
    if (known !== undefined) found.push([name, known]);
  }
  return Object.fromEntries(found);
}

function missingValues(environment: RedactedEnvironment, given: Given): string[] {
  return Object.keys(environment).filter((name) => environment[name] === null && !Object.hasOwn(given, name));
}

function isRedacted(environment: RedactedEnvironment, name: string): boolean {
  return Object.hasOwn(environment, name) && environment[name] === null;
}
