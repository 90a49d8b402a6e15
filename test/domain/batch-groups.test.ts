import { describe, expect, test } from 'vitest';
import type { BatchMember } from '../../src/domain/batch/batch.ts';
import { MemberCounting } from '../../src/domain/batch/groups.ts';

/** Members without a place: each gets the next one. */
function counted(
  layers: number,
  members: readonly Partial<BatchMember>[],
  query: Partial<ConstructorParameters<typeof MemberCounting>[1]> = {},
) {
  const counting = new MemberCounting({ layers }, { maxBands: 10, ...query });
  for (const [member, each] of members.entries()) {
    const usual = { name: '', executionId: '', layer: 0, follows: [], taskName: 'a', status: undefined };
    counting.add({ ...usual, ...each, member });
  }
  return counting.groups();
}

describe('the members of a batch are counted', () => {
  test('by layer, task and state, with what follows what', () => {
    const { groups, links, failures } = counted(2, [
      { status: 'completed' },
      { status: 'failed', errorCode: 'TRAP' },
      { status: 'running', taskName: 'b' },
      { layer: 1, follows: [0, 1], status: 'failed', errorCode: 'DEPENDENCY_FAILED' },
      { layer: 1, follows: [2], status: 'failed', errorCode: 'DEPENDENCY_FAILED' },
    ]);
    expect(groups).toEqual([
      { firstLayer: 0, lastLayer: 0, taskName: 'a', tasks: 1, counts: { completed: 1, failed: 1 } },
      { firstLayer: 0, lastLayer: 0, taskName: 'b', tasks: 1, counts: { running: 1 } },
      { firstLayer: 1, lastLayer: 1, taskName: 'a', tasks: 1, counts: { failed: 2 } },
    ]);
    expect(links).toEqual([
      { from: 0, to: 2, count: 2 },
      { from: 1, to: 2, count: 1 },
    ]);
    expect(failures).toEqual([
      { status: 'failed', errorCode: 'DEPENDENCY_FAILED', count: 2 },
      { status: 'failed', errorCode: 'TRAP', count: 1 },
    ]);
  });

  test('in few groups, however many layers and tasks there are', () => {
    const chain = Array.from({ length: 10_000 }, (_, layer) => ({
      layer,
      follows: layer === 0 ? [] : [layer - 1],
    }));
    const { groups, links } = counted(10_000, chain);
    expect(groups).toHaveLength(10);
    expect(groups[9]).toMatchObject({ firstLayer: 9000, lastLayer: 9999, counts: { unknown: 1000 } });
    expect(links).toHaveLength(9);
    const inside = counted(10_000, chain, { firstLayer: 9000, lastLayer: 9009 });
    expect(inside.groups.map((group) => group.firstLayer)).toEqual(
      Array.from({ length: 10 }, (_, place) => 9000 + place),
    );
    const wide = Array.from({ length: 50 }, (_, task) => ({ taskName: `t${task}` }));
    const { groups: beside } = counted(1, [...wide, { taskName: 't7' }]);
    expect(beside).toHaveLength(6);
    expect(beside[0]).toMatchObject({ taskName: 't7', counts: { unknown: 2 } });
    expect(beside[5]).toMatchObject({ taskName: '', tasks: 45, counts: { unknown: 45 } });
  });

  test('of some layers alone, and failures of all', () => {
    const { groups, links, failures } = counted(
      3,
      [
        { status: 'failed', errorCode: 'TRAP' },
        { layer: 1, follows: [0] },
        { layer: 2, follows: [1] },
      ],
      { firstLayer: 1 },
    );
    expect(groups.map((group) => group.firstLayer)).toEqual([1, 2]);
    expect(links).toEqual([{ from: 0, to: 1, count: 1 }]);
    expect(failures).toHaveLength(1);
  });
});
