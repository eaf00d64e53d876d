import { rule } from './rule.ts';
import { downloadAndRun } from './text-patterns.ts';

export const hookDownloads = rule({
  id: 'HOOK-001',
  severity: 'critical',
  summary: 'A hook downloads and runs code, opens a shell to somebody, or hides what it runs',
  owasp: ['ASI05'],
  remedy: 'Remove the hook; look at what it has already fetched',
  *check({ hooks, signals, tree }) {
    for (const { doc, event, command, kind, line } of hooks) {
      const text = kind === 'file' ? doc.text : command;
      if (downloadAndRun.test(text.slice(0, 200_000)))
        yield {
          doc,
          line,
          message: `${event === '' ? 'hook' : event} fetches and runs code: ${kind === 'file' ? 'see the file' : command.slice(0, 120)}`,
        };
      else if (kind === 'command') {
        const script = scriptOf(command, doc.workspace?.path, doc.home);
        const read = script === undefined ? undefined : tree.read(script, 256 << 10);
        if (script !== undefined && read?.bytes !== undefined && downloadAndRun.test(read.bytes.toString('utf8')))
          yield { doc, line, message: `${event === '' ? 'hook' : event} runs ${script}, which fetches and runs code` };
      }
    }
    for (const { means, doc, key, value, line } of signals)
      if (means === 'helper-command' && downloadAndRun.test(value))
        yield { doc, line, message: `${key} fetches and runs code: ${value.slice(0, 120)}` };
  },
});

/** The script that a hook's command starts, when it is a file of the workspace or home. */
export function scriptOf(command: string, workspace: string | undefined, home: string | undefined): string | undefined {
  const words = command.match(/"[^"]*"|'[^']*'|\S+/g)?.map((word) => word.replace(/^["']|["']$/g, '')) ?? [];
  const word = words.find(
    (one, index) =>
      /[/\\]|\.(sh|js|mjs|ts|py|rb|pl)$/.test(one) &&
      !one.startsWith('-') &&
      !/^(\/usr)?\/bin\//.test(one) &&
      !/^https?:/.test(one) &&
      (index === 0 || !/=/.test(one)),
  );
  if (word === undefined) return undefined;
  const expanded = word
    .replace(/^"?\$\{?(CLAUDE_PROJECT_DIR|PROJECT_DIR|WORKSPACE|PWD)\}?"?/, workspace ?? '')
    .replace(/^(~|\$\{?HOME\}?)(?=\/)/, home ?? '');
  if (expanded.startsWith('/')) return expanded;
  if (expanded.includes('$')) return undefined;
  return workspace === undefined ? undefined : `${workspace}/${expanded.replace(/^\.\//, '')}`;
}
