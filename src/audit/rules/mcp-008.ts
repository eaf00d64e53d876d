import { fetched } from '../mcp.ts';
import { rule } from './rule.ts';

const powerful =
  /(desktop-commander|mcp-shell|shell-mcp|mcp-server-commands|iterm|terminal-mcp|mcp-terminal|computer-use|applescript|ssh-mcp|mcp-ssh|command-executor|exec-mcp)/i;
const files = /(filesystem|server-fs|file-system|mcp-files)/i;
const databases = /(postgres|mysql|mariadb|mssql|mongodb|redis|snowflake|bigquery|supabase|neon)/i;

export const broadServer = rule({
  id: 'MCP-008',
  severity: 'high',
  summary: 'An MCP server reaches the whole home, a shell, or a database with write access',
  owasp: ['ASI03'],
  remedy: 'Give it one directory, or a read-only account',
  *check({ servers, homes }) {
    for (const { doc, name, argv, line } of servers) {
      const words = argv.map(({ value }) => value);
      const target = fetched(words)?.target ?? words.slice(0, 2).join(' ');
      const broad = words
        .slice(1)
        .find(
          (word) =>
            /^(\/|~\/?|\$\{?(env:)?HOME\}?\/?|\/home(\/[^/]+)?\/?|\/Users(\/[^/]+)?\/?|\/root\/?|[A-Z]:\\?|%USERPROFILE%)$/i.test(word) ||
            homes.includes(word.replace(/\/$/, '')),
        );
      const mount = words.find(
        (word) => /^(\/|~|\/home(\/[^/:]+)?|\/Users(\/[^/:]+)?|\$HOME):\//.test(word) || /source=(\/|~|\/home\/[^/,]+),/.test(word),
      );
      if (powerful.test(target)) yield { doc, line, message: `server "${name}" gives the model a shell or desktop (${target})` };
      else if (files.test(`${target} ${name}`) && broad !== undefined)
        yield { doc, line, message: `server "${name}" opens ${broad} to the model, secrets included` };
      else if (mount !== undefined)
        yield { doc, line, message: `server "${name}" mounts ${mount.split(':')[0] ?? mount} into its container` };
      else if (databases.test(target) && words.some((word) => /:\/\/(root|admin|postgres|sa)[:@]/i.test(word)))
        yield { doc, line, message: `server "${name}" reaches a database as administrator` };
    }
  },
});
