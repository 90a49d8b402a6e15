/** What a request follows, as messages and as the domain has it. */
import { create } from '@bufbuild/protobuf';
import { type Dependency, mostDependencies } from '../../domain/dependency.ts';
import { invalidArgument, quote } from '../../domain/errors.ts';
import type { Invocation } from '../../domain/execution.ts';
import {
  DependencyCondition,
  DependencyPolicy,
  DependencySchema,
  type Dependency as Wire,
} from '../gen/spearlet/function_pb.js';
import { most, text } from './fields.ts';

/** Finds the execution of another member of a batch by its name; undefined for a name that none has. */
export type MemberNamed = (name: string) => string | undefined;

/** Undefined for none. Throws invalid_argument that names the field. */
export function dependenciesFromWire(
  field: string,
  dependencies: readonly Wire[],
  memberNamed?: MemberNamed,
): readonly Dependency[] | undefined {
  if (dependencies.length === 0) return undefined;
  most(field, dependencies.length, mostDependencies);
  const seen = new Map<string, number>();
  return dependencies.map((wire, index) => {
    const at = `${field}[${index}]`;
    const dependency = { ...whatOf(at, wire, memberNamed), ...howOf(at, wire) };
    const before = seen.get(dependency.executionId);
    if (before !== undefined) {
      throw invalidArgument(at, `is the same as ${field}[${before}]; allowed is each execution once`);
    }
    seen.set(dependency.executionId, index);
    return dependency;
  });
}

function whatOf(
  at: string,
  { executionId, name }: Wire,
  memberNamed: MemberNamed | undefined,
): Pick<Dependency, 'executionId' | 'name'> {
  if (executionId !== '' && name !== '') {
    throw invalidArgument(at, 'has an execution_id and a name; allowed is one of them');
  }
  if (name !== '') {
    text(`${at}.name`, name, 256);
    if (memberNamed === undefined) {
      throw invalidArgument(`${at}.name`, 'is for the members of a batch; allowed here is execution_id');
    }
    const member = memberNamed(name);
    if (member === undefined) throw invalidArgument(`${at}.name`, `no member is named ${quote(name)}`);
    return { executionId: member, name };
  }
  if (executionId === '') throw invalidArgument(`${at}.execution_id`, 'is required');
  text(`${at}.execution_id`, executionId, 256);
  if (executionId.startsWith('exec_')) return { executionId };
  throw invalidArgument(
    `${at}.execution_id`,
    `${quote(executionId)} is not an execution id; allowed is exec_…`,
  );
}

function howOf(at: string, wire: Wire): Omit<Dependency, 'executionId' | 'name'> {
  const { condition, onFailure } = wire;
  if (DependencyCondition[condition] === undefined) {
    throw invalidArgument(
      `${at}.condition`,
      `${String(condition)} is not known; allowed are COMPLETED (1) and ENDED (2)`,
    );
  }
  if (DependencyPolicy[onFailure] === undefined) {
    throw invalidArgument(
      `${at}.on_failure`,
      `${String(onFailure)} is not known; allowed are FAIL (1) and RUN_ANYWAY (2)`,
    );
  }
  return {
    ...(condition === DependencyCondition.ENDED && { condition: 'ended' as const }),
    ...(onFailure === DependencyPolicy.RUN_ANYWAY && { onFailure: 'runAnyway' as const }),
    ...outputOf(at, wire),
  };
}

function outputOf(at: string, { asInput, asParameter }: Wire): Pick<Dependency, 'output'> {
  if (asInput && asParameter !== '') {
    throw invalidArgument(`${at}.as_parameter`, 'stands beside as_input; allowed is one of them');
  }
  if (asInput) return { output: 'input' };
  if (asParameter === '') return {};
  return { output: { parameter: text(`${at}.as_parameter`, asParameter, 512) } };
}

/**
 * Throws invalid_argument where an output goes to what the request gives itself, or two go to one place. Returns the
 * parameters that come from outputs.
 */
export function outputParameters(
  field: string,
  dependencies: readonly Dependency[],
  { input, parameters }: Pick<Invocation, 'input' | 'parameters'>,
): readonly string[] {
  const taken = new Map<string, string>();
  if (input.byteLength > 0) taken.set('input', 'the input of the request');
  for (const name of Object.keys(parameters))
    taken.set(`parameters.${name}`, `parameters.${name} of the request`);
  const names: string[] = [];
  for (const [index, { output }] of dependencies.entries()) {
    if (output === undefined) continue;
    const place = output === 'input' ? 'input' : `parameters.${output.parameter}`;
    const at = `${field}[${index}].${output === 'input' ? 'as_input' : 'as_parameter'}`;
    const other = taken.get(place);
    if (other !== undefined) throw invalidArgument(at, `goes where ${other} goes; allowed is one of them`);
    taken.set(place, `${field}[${index}]`);
    if (output !== 'input') names.push(output.parameter);
  }
  return names;
}

export function dependencyToWire({ executionId, name = '', condition, onFailure, output }: Dependency): Wire {
  return create(DependencySchema, {
    executionId,
    name,
    condition: condition === 'ended' ? DependencyCondition.ENDED : DependencyCondition.COMPLETED,
    onFailure: onFailure === 'runAnyway' ? DependencyPolicy.RUN_ANYWAY : DependencyPolicy.FAIL,
    asInput: output === 'input',
    asParameter: typeof output === 'object' ? output.parameter : '',
  });
}
