import { scriptOf } from './hook-001.ts';
import { rule } from './rule.ts';

export const hookScriptLoose = rule({
  id: 'HOOK-003',
  severity: 'medium',
  summary: "A hook's script is missing, writable by others, found by a relative path, or part of the repository",
  owasp: ['ASI04'],
  remedy: 'Keep hook scripts outside repositories, owned by the user or root, named by an absolute path',
  *check({ hooks, tree }) {
    for (const { doc, command, kind, line } of hooks) {
      if (kind !== 'command' || /tasks\.json$|devcontainer\.json$/.test(doc.path)) continue;
      const relative = /^(\.{1,2}\/|(?!\/)[\w-]+\/)[\w./-]+/.test(command.trim());
      const script = scriptOf(command, doc.workspace?.path, doc.home);
      if (script === undefined) continue;
      const stat = tree.stat(script);
      if (stat === undefined)
        yield {
          doc,
          line,
          message: `the hook's script ${script} does not exist: whoever creates it is run, and most agents go on without it`,
        };
      else if ((stat.mode & 0o002) !== 0)
        yield { doc, line, message: `the hook's script ${script} is writable by everybody`, severity: 'high' };
      else if (doc.workspace !== undefined && script.startsWith(`${doc.workspace.path}/`))
        yield {
          doc,
          line,
          message: `the hook's script ${script.slice(doc.workspace.path.length + 1)} is part of the repository, which the agent edits`,
        };
      else if (relative)
        yield {
          doc,
          line,
          message: `the hook names its script by a relative path (${command.slice(0, 60)}): another directory, another script`,
        };
    }
  },
});
