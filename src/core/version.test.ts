import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot, version } from './index.ts';

it('the version constant is that of package.json', () => {
  const { version: declared } = JSON.parse(fs.readFileSync(path.join(packageRoot(), 'package.json'), 'utf8')) as { version: string };
  expect(version).toBe(declared);
});
