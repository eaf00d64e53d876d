// What must hold for every real agent in the sandbox, whichever it is.
import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { AgentRecipe } from '../../src/testing/index.ts';
import { createRig, root } from './rig.ts';

const modules = path.join(root, 'test', 'agents', 'node_modules');

export function governs(recipe: AgentRecipe): void {
  const program = path.join(modules, recipe.program);
  const command = (prompt: string) => [...(recipe.needsNode ? ['node'] : []), program, ...recipe.args(prompt)];

  it('creates a file by a tool call, on the inside model alone', { timeout: 180_000 }, async () => {
    const target = 'greeting.txt';
    const rig = await createRig({
      scriptFor: (workspace) => [
        { text: 'writing', acts: [{ do: 'write', path: path.join(workspace, target), content: 'hello from a tool call\n' }] },
        { text: 'It is done.' },
      ],
      extra: `tools: { ${recipe.id}: { status: vetted } }\npacks: [baseline, perimeter, research-production]\n`,
    });
    try {
      const summaryFile = path.join(rig.dir, 'summary.json');
      const args = [
        'run',
        '--purpose',
        'production',
        '--mode',
        'direct',
        '--summary-json',
        summaryFile,
        '--',
        ...command(`Create ${target}.`),
      ];
      const { code, stdout, stderr } = await rig.intramur(args, { env: recipe.env, limitMs: 170_000 });
      expect({ code, stderr: code === 0 ? '' : stderr, stdout: code === 0 ? '' : stdout }).toEqual({ code: 0, stderr: '', stdout: '' });
      expect(fs.readFileSync(path.join(rig.workspace, target), 'utf8').trim()).toBe('hello from a tool call');
      const summary = JSON.parse(fs.readFileSync(summaryFile, 'utf8')) as {
        agent: string;
        purpose: string;
        model: { perimeter: string; requests: number }[];
        egress: { class: string; decision: string }[];
      };
      expect({ agent: summary.agent, purpose: summary.purpose }).toEqual({ agent: recipe.id, purpose: 'production' });
      expect(summary.model.map(({ perimeter }) => perimeter)).toEqual(['onprem']);
      expect(summary.egress.filter(({ decision }) => decision === 'allow').every((row) => row.class === 'model')).toBe(true);
    } finally {
      await rig.close();
    }
  });
}
