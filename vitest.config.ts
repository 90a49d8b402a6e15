import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // Two files at a time share two cores with the servers and guests that they start.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    // A busy machine takes longer than the second that is the default.
    expect: { poll: { timeout: 20_000 } },
    // As bin/spear has it.
    execArgv: ['--disable-warning=ExperimentalWarning'],
  },
});
