import { secretFiles } from '../catalogue/secret-files.ts';
import { decide, readsUnasked, situationFor } from '../effective.ts';
import { isThere, join } from '../load.ts';
import { rule } from './rule.ts';

export const secretsInReach = rule({
  id: 'CRED-001',
  severity: 'high',
  summary: 'An agent can read credentials of this user without asking',
  owasp: ['ASI03', 'LLM02'],
  remedy: 'Run it boxed (`intramur run`): inside, these files do not exist',
  *check(facts) {
    const seen = new Set<string>();
    for (const { entry, path } of facts.agents) {
      if (entry.kind !== 'agent' || seen.has(entry.id)) continue;
      seen.add(entry.id);
      for (const home of facts.homes) {
        const present = secretFiles.filter((secret) => isThere(facts.tree, join(home, secret.path)));
        if (present.length === 0) continue;
        const situation = situationFor(facts, entry, join(home, 'any-directory'));
        const shell = decide(situation, { action: 'shell', target: 'make-anything --now' });
        const readable =
          shell.mode === 'allow' || shell.mode === 'sandboxed'
            ? present
            : present.filter((secret) => readsUnasked(situation, join(home, secret.path)));
        if (readable.length === 0) continue;
        const names = readable.slice(0, 4).map((secret) => `~/${secret.path}`);
        const from = shell.source.file ?? path;
        yield {
          agent: entry.id,
          file: from,
          line: shell.source.line ?? undefined,
          message: `${entry.name} can read ${readable.length} credential file${readable.length === 1 ? '' : 's'} without asking: ${names.join(', ')}${readable.length > 4 ? ', …' : ''}`,
        };
      }
    }
  },
});
