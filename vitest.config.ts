import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'agents/node/test/**/*.test.ts'],
    // Real processes, real sockets: generous ceilings, no timing assertions.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
    // Statistics over real processes: a neighbour on the machine may spoil one attempt, not two.
    retry: process.env.CI ? 1 : 0,
  },
});
