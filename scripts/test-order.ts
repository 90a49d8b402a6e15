/**
 * In which order the files of tests run: the long ones first, so that nothing waits for one of them in the end. Vitest
 * knows how long each took the last time; on a fresh checkout it goes by their size, which says nothing of a crash run.
 */
import { relative } from 'node:path/posix';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Take over twenty seconds on two cores, the longest first; most of them wait for most of that time. */
export const longTests: readonly string[] = [
  // In CI by far the longest.
  'test/crash/crash.test.ts',
  'test/cluster/cluster.test.ts',
  'test/docs/readme.test.ts',
  'test/docs/documents.test.ts',
  'test/server/links/cluster.test.ts',
  'test/server/storage-faults.test.ts',
  'test/runtimes/process/spawner.test.ts',
  'test/visualizer/page/page.test.ts',
  'test/cli/interrupt.test.ts',
  'test/server/clock.test.ts',
  'test/runtimes/docker/bounds.test.ts',
  'test/visualizer/page/execution/view.test.ts',
  'test/hostile/hostile.test.ts',
  'test/server/stress.test.ts',
  'test/runtimes/process/confinement.test.ts',
  'test/visualizer/browser/batch-of-ten-thousand.test.ts',
  'test/visualizer/browser/batch-graph.test.ts',
  'test/visualizer/browser/restart.test.ts',
  'test/server/revocation.test.ts',
  'test/server/links/nodes.test.ts',
  'test/docs/demo-cluster.test.ts',
  'test/client/several.test.ts',
  'test/server/takeover.test.ts',
  'test/stores/postgres-zombie.test.ts',
  'test/cluster/freezing.test.ts',
  'test/cluster/freezing-containers.test.ts',
  'test/cluster/engine-failover.test.ts',
  'test/cluster/unowned.test.ts',
  'test/cluster/placement.test.ts',
  'test/cluster/resources.test.ts',
  'test/cluster/abilities.test.ts',
  'test/cluster/queue.test.ts',
  'test/cluster/quarantines.test.ts',
];

/** Where a file stands among those; after them all where it is none of them. */
export function rankOf(file: string): number {
  const rank = longTests.indexOf(file);
  return rank < 0 ? longTests.length : rank;
}

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { root } = this.ctx.config;
    const rank = ({ moduleId }: TestSpecification) => rankOf(relative(root, moduleId));
    // Those of equal rank stay as they are sorted already.
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
