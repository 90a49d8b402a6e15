import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // A busy machine takes longer than the second that is the default.
    expect: { poll: { timeout: 20_000 } },
    // As bin/spear has it.
    execArgv: ['--disable-warning=ExperimentalWarning'],
  },
});
