import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './scripts/test-order.ts';
import { leftOut, testFiles } from './scripts/test-projects.ts';

const { all, unit } = testFiles();
const others = leftOut(process.env.SPEAR_TESTS_LEFT_OUT, all);

// Most of what the start of a server, of a `spear` or of a thread costs is reading TypeScript: once is enough.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/compile', import.meta.url));
// Nodes of tests are not noted among those of whoever runs the tests.
process.env.XDG_STATE_HOME = join(tmpdir(), `spear-test-state-${process.pid}`);

export default defineConfig({
  test: {
    // Most files wait for most of their time: for servers, guests, engines. Two at a time leave two cores idle for half
    // of it; four have a browser each, of a few hundred megabytes.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        // Needs nothing but npm.
        test: { name: 'unit', include: [...unit], exclude: [...others], pool: 'threads', isolate: false },
      },
      {
        extends: true,
        // Needs what `.ci/run` installs; what a machine lacks is skipped, and says so.
        test: {
          name: 'system',
          include: ['test/**/*.test.ts'],
          exclude: [...unit, ...others],
          pool: 'forks',
          globalSetup: ['test/support/program.ts', 'test/support/checked-artifacts.ts'],
          // Sources are read once for each worker.
          isolate: false,
        },
      },
    ],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Ends a wait for what never comes. A busy machine takes many times as long as a quiet one, so no test sets its own.
    expect: { poll: { timeout: 60_000 } },
    // As bin/spear has it.
    execArgv: ['--disable-warning=ExperimentalWarning'],
  },
});
