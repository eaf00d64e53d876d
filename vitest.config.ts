import { defineConfig } from 'vitest/config';

// Real processes, namespaces and agents run in these tests; two cores: few workers, generous limits, no retry. Three, because a fifth of
// their time they wait for processes of the product; with two, that time is nobody's.
const agents = 'test/agents/*.test.ts';
/** What looks at a clock has the machine for itself: after everything else, a file at a time. */
const clock = 'test/agents/refusal.test.ts';

export default defineConfig({
  test: {
    globalSetup: ['test/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 3,
    maxConcurrency: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      // Of the rooms, many small files: a process each would cost more than what they test.
      { extends: true, test: { name: 'rooms', include: ['src/**/*.test.ts'], isolate: false } },
      { extends: true, test: { name: 'house', include: ['test/**/*.test.ts'], exclude: ['**/node_modules/**', agents], isolate: false } },
      { extends: true, test: { name: 'agents', include: [agents], exclude: [clock], maxWorkers: 2, sequence: { groupOrder: 1 } } },
      { extends: true, test: { name: 'clock', include: [clock], maxWorkers: 1, sequence: { groupOrder: 2 } } },
    ],
  },
});
