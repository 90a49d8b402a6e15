/** The diagram of docs/supervision.md has the ways between phases that the rules take, and no others. */
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Supervision,
  type SupervisionEvent,
  type SupervisionStep,
  supervise,
  withExecutions,
} from '../../src/domain/batch/supervision.ts';
import { batch, cancelled, completed, failed, policies, strategies } from './supervised-batch.ts';

/** `from>to` of each arrow between two phases. */
async function drawn(): Promise<string[]> {
  const page = await readFile(new URL('../../docs/supervision.md', import.meta.url), 'utf8');
  const [, diagram = ''] = /^```mermaid\n(.*?)^```$/ms.exec(page) ?? [];
  return [...diagram.matchAll(/^ +(\w+) --> (\w+)/gm)].map(([, from, to]) => `${from}>${to}`);
}

/** The ways of one step, which may be through several phases at once. */
function waysOf(before: Supervision, { supervision: after, start }: SupervisionStep): string[] {
  const { kind: from } = before.phase;
  const { kind: to } = after.phase;
  if (from === 'running' && to === 'running') {
    return start.length > 0 ? ['running>restarting', 'restarting>running'] : [];
  }
  if (from === to) return [];
  const gaveUp = after.phase.kind === 'ended' && after.phase.end !== undefined && from !== 'ending';
  return gaveUp ? [`${from}>ending`, 'ending>ended'] : [`${from}>${to}`];
}

const happening = fc.record({
  what: fc.constantFrom(completed, failed, failed, failed, cancelled, undefined),
  which: fc.nat({ max: 20 }),
  afterMs: fc.nat({ max: 400 }),
});

test('what is drawn is what happens', async () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(
      fc.constantFrom(...strategies),
      fc.array(fc.constantFrom(...policies), { minLength: 1, maxLength: 4 }),
      fc.nat({ max: 3 }),
      fc.array(happening, { maxLength: 20 }),
      (strategy, members, intensity, all) => {
        let supervision = batch(strategy, members, { intensity });
        let at = 0;
        let made = 0;
        for (const { what, which, afterMs } of all) {
          at += afterMs;
          const open = [...supervision.members.entries()].filter(([, { state }]) =>
            ['up', 'stopping'].includes(state),
          );
          const [member, known] = open[which % Math.max(1, open.length)] ?? [];
          const isEnd = what === undefined && which < 3;
          if (!isEnd && (member === undefined || known === undefined || what === undefined)) continue;
          const event: SupervisionEvent = isEnd
            ? { type: 'end', end: { reason: 'cancelled', message: '' } }
            : {
                ...{ type: 'ended', member: member ?? 0, executionId: known?.executionId ?? '' },
                ...{ end: what ?? completed, at },
              };
          const step = supervise(supervision, event);
          for (const way of waysOf(supervision, step)) seen.add(way);
          const ids = new Map(step.start.map((each) => [each, `${each}.${++made}`]));
          supervision = withExecutions(step.supervision, ids);
        }
      },
    ),
    { numRuns: 3000 },
  );
  expect([...seen].sort()).toEqual((await drawn()).sort());
});
