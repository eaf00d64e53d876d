// Runs vitest and closes with one line: `N passed, N failed, N skipped`. Every skipped test is named with its reason.
import process from 'node:process';
import { startVitest } from 'vitest/node';

/** `--project NAME` for each part of vitest.config.ts; whatever else is said names files. */
const args = process.argv.slice(2);
const project = args.filter((_, i) => args[i - 1] === '--project');
const filters = args.filter((arg, i) => arg !== '--project' && args[i - 1] !== '--project');

const counts = { passed: 0, failed: 0, skipped: 0 };
const skipped = [];
const reporter = {
  onTestCaseResult(test) {
    const { state, note } = test.result();
    counts[state === 'pending' ? 'skipped' : state] += 1;
    if (state === 'skipped') skipped.push(`${test.fullName}${note ? `: ${note}` : ''}`);
  },
};

const vitest = await startVitest('test', filters, {
  run: true,
  watch: false,
  reporters: [process.stdout.isTTY ? 'default' : 'dot', reporter],
  project,
});
const unhandled = vitest.state.getUnhandledErrors().length;
const brokenFiles = vitest.state.getFiles().filter((file) => file.result?.state === 'fail' && file.tasks.length === 0).length;
await vitest.close();
counts.failed += unhandled + brokenFiles;
for (const line of skipped) process.stdout.write(`skipped: ${line}\n`);
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
process.exit(counts.failed === 0 && counts.passed > 0 ? 0 : 1);
