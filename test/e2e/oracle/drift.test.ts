// Do the keys that the catalogue knows still occur in the programs? A key that vanished makes a rule that can never fire.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { catalogue } from '../../../src/audit/index.ts';

const agents = path.resolve('test/agents/node_modules');
const programs: Readonly<Record<string, string>> = {
  'claude-code': '@anthropic-ai/claude-code-linux-x64/claude',
  codex: '@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex',
  'gemini-cli': '@google/gemini-cli/bundle',
  'qwen-code': '@qwen-code/qwen-code/chunks',
  opencode: 'opencode-linux-x64/bin/opencode',
};

function occurs(place: string, keys: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const files = fs.statSync(place).isDirectory()
    ? fs
        .readdirSync(place, { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.[cm]?js$/.test(name))
        .map((name) => path.join(place, name))
    : [place];
  for (const file of files) {
    const bytes = fs.readFileSync(file);
    for (const key of keys) if (!found.has(key) && bytes.includes(key)) found.add(key);
  }
  return found;
}

describe('keys of the catalogue in the installed programs', () => {
  it.each(Object.entries(programs))('%s', (id, place) => {
    const file = path.join(agents, place);
    if (!fs.existsSync(file)) {
      process.stderr.write(`skipped: drift of ${id} (not installed under test/agents)\n`);
      return;
    }
    const entry = catalogue.find((one) => one.id === id);
    const keys = [
      ...new Set((entry?.switches ?? []).map(({ key }) => key.filter((step) => step !== '*' && !/^\d+$/.test(step)).at(-1) ?? '')),
    ];
    const present = occurs(file, keys);
    expect(keys.filter((key) => !present.has(key))).toEqual([]);
  });
});
