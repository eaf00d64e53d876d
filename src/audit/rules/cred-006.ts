import { join } from '../load.ts';
import { at, text } from '../read/node.ts';
import { parseYaml } from '../read/yaml.ts';
import { rule } from './rule.ts';

export const productionInReach = rule({
  id: 'CRED-006',
  severity: 'medium',
  summary: 'A production cluster is the current one, in reach of every agent with a shell',
  owasp: ['ASI03', 'ASI08'],
  remedy: 'Switch the context when the work is done; give agents no cluster credentials',
  *check({ homes, tree }) {
    for (const home of homes) {
      const file = join(home, '.kube/config');
      const read = tree.read(file, 2 << 20);
      if (read.bytes === undefined) continue;
      const parsed = parseYaml(read.bytes.toString('utf8'));
      const current = at(parsed.root, 'current-context');
      if (current !== undefined && /prod|live/i.test(text(current) ?? ''))
        yield { file, line: current.line, message: `the current cluster is "${text(current) ?? ''}"` };
    }
  },
});
