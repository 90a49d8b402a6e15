/** Draws what an execution follows, and how its task and its terms change by that. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  DependencyCondition,
  DependencyPolicy,
  type DependencySchema,
} from '../../src/server/gen/spearlet/function_pb.js';
import type { Followed, Plan } from './history.ts';
import type { Drawn } from './kinds.ts';
import type { Random } from './random.ts';

/** What can be followed: by its id, or by its name within a batch. */
export interface Candidate {
  readonly plan: Plan;
  readonly by: { readonly executionId: string } | { readonly name: string };
}

const most = 3;

/** The same call, after one to three of the candidates. At least one has to be there. */
export function following(random: Random, drawn: Drawn, candidates: readonly Candidate[]): Drawn {
  const chosen = random.shuffled(candidates).slice(0, random.whole(1, most));
  let { request, terms } = drawn;
  const follows: Followed[] = [];
  const dependsOn: MessageInitShape<typeof DependencySchema>[] = [];
  for (const { plan, by } of chosen) {
    const output = follows.some((each) => each.output !== undefined)
      ? undefined
      : outputFor(random, drawn, plan);
    const ended = output === undefined && random.chance(0.3);
    // A sum has no value without what is added.
    const anyway = output !== 'summand' && random.chance(0.3);
    follows.push({ plan: plan.number, ended, anyway, ...(output !== undefined && { output }) });
    dependsOn.push({
      ...by,
      ...(ended && { condition: DependencyCondition.ENDED }),
      ...(anyway && { onFailure: DependencyPolicy.RUN_ANYWAY }),
      ...(output === 'input' && { asInput: true }),
      ...(output === 'summand' && { asParameter: 'b' }),
    });
    if (output === 'input') {
      const { input: _, ...rest } = request;
      request = rest;
      terms = { ...terms, stdout: Buffer.alloc(0) };
    } else if (output === 'summand') {
      const { b: _, ...parameters } = request.parameters ?? {};
      request = { ...request, parameters };
      terms = { ...terms, value: String(summand(parameters.a)) };
    }
  }
  return { request: { ...request, dependsOn }, terms: { ...terms, follows } };
}

function outputFor(random: Random, { terms }: Drawn, { terms: of }: Plan): Followed['output'] | undefined {
  if (!random.chance(0.7)) return undefined;
  if (terms.task === 'cat') return 'input';
  return terms.task === 'add' && of.task === 'add' ? 'summand' : undefined;
}

type Value = NonNullable<Drawn['request']['parameters']>[string] | undefined;

function summand(value: Value): number {
  if (value?.kind?.case !== 'numberValue') throw new Error('the kind adds numbers');
  return value.kind.value;
}
