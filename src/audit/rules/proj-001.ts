import { entriesOf } from '../read/node.ts';
import { rule } from './rule.ts';

export const repositoryShipsSettings = rule({
  id: 'PROJ-001',
  severity: 'medium',
  summary: 'A repository brings settings, servers or hooks for an agent',
  owasp: ['ASI04'],
  remedy: 'Read the file before the folder is trusted; keep what the team needs in managed settings',
  *check({ docs, servers, hooks }) {
    const seen = new Set<string>();
    for (const doc of docs) {
      if (doc.workspace === undefined || doc.scope !== 'project' || seen.has(doc.path) || doc.root === undefined) continue;
      const isMcp = doc.file.role === 'mcp';
      if (!isMcp && doc.file.role !== 'hooks' && doc.file.role !== 'settings') continue;
      seen.add(doc.path);
      const own = servers.filter((server) => server.doc.path === doc.path);
      const commands = hooks.filter((hook) => hook.doc.path === doc.path && hook.kind !== 'file');
      if (doc.path.endsWith('.vscode/settings.json') || doc.path.endsWith('tasks.json') || doc.path.endsWith('devcontainer.json')) {
        if (own.length + commands.length === 0) continue;
      }
      if (entriesOf(doc.root).length === 0 && doc.root.kind === 'table') continue;
      const isRisky = commands.length > 0 || own.some(({ pinned, url }) => pinned === false || url !== undefined);
      const holds =
        [
          own.length > 0 ? `${own.length} MCP server${own.length === 1 ? '' : 's'}` : '',
          commands.length > 0 ? `${commands.length} hook${commands.length === 1 ? '' : 's'}` : '',
        ]
          .filter(Boolean)
          .join(' and ') || 'settings';
      yield {
        doc,
        line: 1,
        message: `the repository brings ${holds} for ${doc.agent.name}`,
        ...(isRisky ? {} : { severity: 'info' as const }),
      };
    }
  },
});
