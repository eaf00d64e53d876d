// Where the installed package stands: the nearest directory above this file with our package.json. The bundle and the sources lie
// at different depths, so the place is searched, not computed.
import fs from 'node:fs';
import path from 'node:path';
import { IntramurError } from './error.ts';
import { product } from './product.ts';

export function packageRoot(from: string = import.meta.dirname): string {
  for (let dir = from; ; dir = path.dirname(dir)) {
    const file = path.join(dir, 'package.json');
    if (fs.existsSync(file) && fs.readFileSync(file, 'utf8').includes(`"name": "${product.name}"`)) return dir;
    if (dir === path.dirname(dir)) throw new IntramurError('INTERNAL', `no package.json of ${product.name} above ${from}`);
  }
}
