// The five agents as a person meets them: their own screens in a terminal, in the sandbox, from the first start of a user who never
// configured them. No question before the first prompt, the answer on the screen, and the shell as it was afterwards.
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentRecipes } from '../../src/testing/index.ts';
import { createRig, type Rig, root } from '../e2e/rig.ts';
import { openTerminal } from '../e2e/terminal.ts';

interface Screen {
  /** Where it waits for a prompt. */
  readonly ready: RegExp;
  readonly exit: string;
  /** What it says at its start that is true and no fault of anybody's. */
  readonly notice?: RegExp;
}

const screens: Readonly<Record<string, Screen>> = {
  // Its vendor's host has no settings for it in here, and it says so.
  'claude-code': { ready: /\? for shortcuts/, exit: '/exit', notice: /Remote managed settings failed to load \(access denied \(403\)\)/ },
  codex: { ready: /Ask Codex to do anything/, exit: '/quit' },
  'qwen-code': { ready: /Type your message/, exit: '/quit' },
  opencode: { ready: /Ask anything/, exit: '/exit' },
  'gemini-cli': { ready: /Type your message/, exit: '/quit' },
};

const trouble = /\berror\b|\bfailed\b|invalid|unauthori[sz]ed|sign in|log ?in\b|do you trust|trust this|choose|select|press enter/i;
const answer = 'The rehearsed answer: ünïcode ✓ 日本.';
let rig: Rig;

beforeAll(async () => {
  rig = await createRig({
    script: [{ text: answer }],
    extra: `tools: { ${agentRecipes.map(({ id }) => `${id}: { status: vetted }`).join(', ')} }\n`,
  });
  await rig.intramur(['up', '--background']);
});
afterAll(() => rig.close());

describe('at a terminal', () => {
  it.concurrent.each(agentRecipes)('$id starts without a question, shows the answer, and leaves', { timeout: 180_000 }, async (recipe) => {
    const screen = screens[recipe.id];
    if (!screen) throw new Error(`nothing is known of the screen of ${recipe.id}`);
    const workspace = path.join(rig.dir, recipe.id);
    fs.mkdirSync(workspace);
    const terminal = openTerminal({ ...rig, workspace }, { COLORTERM: 'truecolor' });
    try {
      await terminal.isBack();
      const modes = await terminal.run('stty -a');
      const program = path.join(root, 'test', 'agents', 'node_modules', recipe.program);
      terminal.enter(`intramur run -- ${recipe.needsNode ? `'${process.execPath}' ` : ''}'${program}'`);
      const first = await terminal.shows(screen.ready, 120_000);
      expect(first.replace(screen.notice ?? '', '')).not.toMatch(trouble);

      terminal.type('say something');
      await terminal.shows(/say something/);
      await entered(terminal.press, () => terminal.shows(/The rehearsed answer: ünïcode ✓ 日本\./, 5000));

      terminal.type(screen.exit);
      await terminal.shows(new RegExp(screen.exit));
      await entered(terminal.press, () => terminal.isBack(5000));
      expect(await terminal.code()).toBe(0);
      expect(await terminal.run('stty -a')).toEqual(modes);
    } finally {
      terminal.close();
    }
  });
});

/** Some screens take an Enter that follows what was typed too closely for a part of it; a person presses it again, and so does this. */
async function entered(press: (key: string) => void, seen: () => Promise<unknown>): Promise<void> {
  for (let left = 20; ; left--) {
    press('Enter');
    try {
      await seen();
      return;
    } catch (fault) {
      if (left === 0) throw fault;
    }
  }
}
