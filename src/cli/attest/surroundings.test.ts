import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { prepareStage } from './surroundings.ts';

it('a repository without a configuration of its own is staged like any other', () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'attest-stage-'));
  try {
    fs.mkdirSync(path.join(root, 'source/.git'), { recursive: true });
    fs.writeFileSync(path.join(root, 'source/.git/HEAD'), 'ref: refs/heads/main\n');
    const { upper } = prepareStage(path.join(root, 'stage'), path.join(root, 'source')).openLayer({});
    expect(fs.readFileSync(path.join(upper, '.git/config'), 'utf8')).toContain('[remote "origin"]');
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
});
