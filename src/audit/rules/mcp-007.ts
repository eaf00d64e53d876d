import { rule } from './rule.ts';
import { downloadAndRun } from './text-patterns.ts';

export const shellServer = rule({
  id: 'MCP-007',
  severity: 'high',
  summary: 'An MCP server is a shell line or an inline script',
  owasp: ['ASI05'],
  remedy: 'Start a program or a script file that can be looked at',
  *check({ servers }) {
    for (const { doc, name, argv, line } of servers) {
      const words = argv.map(({ value }) => value);
      const [program = '', ...args] = words;
      const base = program.replace(/^.*[\\/]/, '');
      const isShell = /^(ba|z|da|k|fi)?sh$/.test(base) && args.some((arg) => /^-\w*c$/.test(arg));
      const isInline = /^(node|python3?|perl|ruby|deno|bun|php)$/.test(base) && args.some((arg) => /^(-e|-c|--eval|eval|-r)$/.test(arg));
      const isPowershell = /^(powershell|pwsh)(\.exe)?$/i.test(base) && args.some((arg) => /^-(c|command|enc\w*)$/i.test(arg));
      const isLine = /[|;&`]|\$\(/.test(program);
      if (!isShell && !isInline && !isPowershell && !isLine) continue;
      const shown = words.join(' ');
      yield {
        doc,
        line,
        message: `server "${name}" is a ${isInline ? 'inline script' : 'shell line'}: ${shown.slice(0, 100)}`.replace(
          'a inline',
          'an inline',
        ),
        ...(downloadAndRun.test(shown) ? { severity: 'critical' as const } : {}),
      };
    }
  },
});
