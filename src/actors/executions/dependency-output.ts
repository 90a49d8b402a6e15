/**
 * The output of what an execution follows, as its input or a parameter. It is read from the log of that one when an
 * attempt begins, and stands nowhere else: retention keeps that log as long as somebody may need it.
 */
import type { Dependency } from '../../domain/dependency.ts';
import { RequestError } from '../../domain/errors.ts';
import type { ExecutionRecord, Invocation, JsonValue } from '../../domain/execution.ts';
import type { Task } from '../../domain/task.ts';
import { decodeParameters } from '../../domain/wit/decode.ts';
import { parseWit } from '../../domain/wit/parse.ts';
import type { Store } from '../../stores/store.ts';

/** Why an attempt cannot begin: the output is not what it has to be. */
export interface Unusable {
  readonly unusable: string;
}

const pageBytes = 1024 * 1024;

/** Rejects where the store cannot be read. */
export async function withOutputs(
  store: Pick<Store, 'execution' | 'events'>,
  { dependsOn = [] }: ExecutionRecord,
  task: Task,
  invocation: Invocation,
): Promise<Invocation | Unusable> {
  let { input, parameters } = invocation;
  for (const dependency of dependsOn) {
    const { output } = dependency;
    if (output === undefined) continue;
    const found = await outputOf(store, dependency);
    // One that failed has none, and what runs anyway runs without.
    if (found === undefined) continue;
    if (output === 'input') input = found.bytes;
    else {
      const value = parameterOf(found);
      if (value === undefined) {
        return {
          unusable: `${named(dependency)} wrote what is not UTF-8, and cannot be parameters.${output.parameter}`,
        };
      }
      parameters = { ...parameters, [output.parameter]: value };
    }
  }
  const whole = { ...invocation, input, parameters };
  const wrong = misfit(task, whole);
  return wrong === undefined ? whole : { unusable: `what it follows gives it no call: ${wrong}` };
}

interface Found {
  readonly bytes: Uint8Array;
  /** It is a typed function's value, as JSON. */
  readonly isValue: boolean;
}

async function outputOf(
  store: Pick<Store, 'execution' | 'events'>,
  { executionId, condition }: Dependency,
): Promise<Found | undefined> {
  const record = await store.execution(executionId);
  if (record?.outcome === undefined) return undefined;
  const isWanted = record.status === 'completed' || condition === 'ended';
  if (!isWanted) return undefined;
  const value = record.outcome.output;
  if (value !== undefined) return { bytes: Buffer.from(value), isValue: true };
  const parts: Uint8Array[] = [];
  for (let next = record.attemptSequence + 1; next <= record.lastSequence; ) {
    const page = await store.events(executionId, { from: next, maxBytes: pageBytes });
    const last = page.at(-1);
    if (last === undefined) break;
    next = last.sequence + 1;
    for (const event of page) {
      if (event.kind === 'chunk' && event.stream === 'stdout') parts.push(event.data);
    }
  }
  return { bytes: Buffer.concat(parts), isValue: false };
}

/** A command's output is a text. */
function parameterOf({ bytes, isValue }: Found): JsonValue | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return isValue ? (JSON.parse(text) as JsonValue) : text;
  } catch {
    return undefined;
  }
}

/** What its task says against the call; undefined where it takes it. */
function misfit({ wit }: Task, { functionName, parameters }: Invocation): string | undefined {
  const fn = wit === '' ? undefined : parseWit(wit).find(({ name }) => name === functionName);
  if (fn === undefined) return undefined;
  try {
    decodeParameters(fn, parameters);
    return undefined;
  } catch (error) {
    if (error instanceof RequestError) return error.message;
    throw error;
  }
}

function named({ name, executionId }: Dependency): string {
  return name === undefined ? executionId : `${name} (${executionId})`;
}
