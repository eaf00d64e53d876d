import { badPackages } from '../catalogue/advisories.ts';
import { fetched } from '../mcp.ts';
import { rule } from './rule.ts';

export const badPackage = rule({
  id: 'MCP-002',
  severity: 'high',
  summary: 'An MCP server is a package with a known hole or a known bad release',
  owasp: ['ASI04'],
  remedy: 'Take a fixed version, pinned',
  *check({ servers }) {
    for (const { doc, name, line, argv } of servers) {
      const words = argv.map(({ value }) => value);
      const target = fetched(words)?.target ?? words.find((word) => /node_modules|dist-packages|site-packages/.test(word)) ?? '';
      for (const bad of badPackages) {
        const match = bad.shape.exec(target);
        if (match === null) continue;
        const version = match[1];
        if (version !== undefined && !bad.isBad(version)) continue;
        yield {
          doc,
          line,
          message: `server "${name}" is ${target}: ${bad.says} (${bad.id})`,
          confidence: version === undefined ? 'medium' : 'high',
          ...(version === undefined && !bad.isMalicious ? { severity: 'medium' as const } : {}),
          ...(bad.isMalicious ? { severity: 'critical' as const } : {}),
        };
      }
    }
  },
});
