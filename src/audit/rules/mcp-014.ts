import { fetched } from '../mcp.ts';
import { rule } from './rule.ts';

const known = [
  ...[
    'filesystem',
    'github',
    'gitlab',
    'postgres',
    'sqlite',
    'puppeteer',
    'brave-search',
    'memory',
    'everything',
    'sequential-thinking',
    'slack',
    'google-maps',
    'fetch',
    'git',
    'time',
    'gdrive',
    'redis',
  ].map((name) => `@modelcontextprotocol/server-${name}`),
  ...[
    '@playwright/mcp',
    '@upstash/context7-mcp',
    'mcp-remote',
    'mcp-server-git',
    'mcp-server-fetch',
    'mcp-server-time',
    'mcp-server-sqlite',
    'firecrawl-mcp',
    '@sentry/mcp-server',
    '@notionhq/notion-mcp-server',
    'chrome-devtools-mcp',
    '@supabase/mcp-server-supabase',
    'figma-developer-mcp',
    'exa-mcp-server',
    'tavily-mcp',
    '@stripe/mcp',
    '@cloudflare/mcp-server-cloudflare',
    'awslabs.core-mcp-server',
    'task-master-ai',
    '@browsermcp/mcp',
    '@wonderwhy-er/desktop-commander',
  ],
];

export const lookAlike = rule({
  id: 'MCP-014',
  severity: 'medium',
  summary: 'A package name is one letter away from a well-known MCP server',
  owasp: ['ASI04'],
  remedy: 'Check the name; remove the server when it is not the one that was meant',
  *check({ servers }) {
    for (const { doc, name, argv, line } of servers) {
      const target = fetched(argv.map(({ value }) => value))?.target;
      if (target === undefined) continue;
      const bare = target
        .replace(/(?<=.)@[^/]*$/, '')
        .replace(/==.*$/, '')
        .toLowerCase();
      if (known.includes(bare)) continue;
      const near = known.find((one) => isNear(bare, one)) ?? scopeTwin(bare);
      if (near !== undefined) yield { doc, line, message: `server "${name}" is ${bare}, which looks like ${near}` };
    }
  },
});

/** The right name in somebody else's scope. */
function scopeTwin(name: string): string | undefined {
  const match = /^@(model-?context-?protocols?|modelcontextprotcol|modelcontexprotocol|mcp-official|anthropic-mcp)\/(server-[\w-]+)$/.exec(
    name,
  );
  return match?.[2] === undefined || name.startsWith('@modelcontextprotocol/') ? undefined : `@modelcontextprotocol/${match[2]}`;
}

/** One insertion, deletion, substitution or swap apart; long names may differ in two places. */
export function isNear(a: string, b: string): boolean {
  const most = b.length > 14 ? 2 : 1;
  if (a === b || Math.abs(a.length - b.length) > most || b.length < 6) return false;
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((rows[i - 1]?.[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (rows[i - 1]?.[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, (rows[i - 2]?.[j - 2] ?? 0) + 1);
      row.push(best);
    }
    rows.push(row);
  }
  return (rows[a.length]?.[b.length] ?? 99) <= most;
}
