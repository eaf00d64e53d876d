import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { shippedBytes } from './shipped-files.ts';

it('the program first, then the code of its package, and nothing of another', async () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'shipped-'));
  try {
    const files = {
      'node_modules/@a/agent/cli.js': 'main',
      'node_modules/@a/agent/lib/b.mjs': 'code',
      'node_modules/@a/agent/readme.md': 'prose',
      'node_modules/@a/agent/node_modules/c/c.js': 'of another',
      'node_modules/@a/other/d.js': 'of another',
      'alone/e.js': 'alone',
      'alone/f.js': 'beside',
    };
    for (const [name, text] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
      fs.writeFileSync(path.join(root, name), text);
    }
    const read = async (name: string): Promise<string> => {
      let text = '';
      for await (const part of shippedBytes(path.join(root, name))) text += Buffer.from(part).toString();
      return text;
    };
    expect(await read('node_modules/@a/agent/cli.js')).toBe('main\ncode\n');
    expect(await read('alone/e.js')).toBe('alone\n');
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
});
