import { rule } from './rule.ts';

/** A variable that the agent or model fills, outside quotes. */
const unquoted =
  /(?:^|[\s=;|&(])\$\{?(CLAUDE_(?!PROJECT_DIR|PLUGIN_ROOT|ENV_FILE)\w+|TOOL_\w+|FILE(_?PATHS?|_?NAME)?|ARGUMENTS|INPUT|PROMPT|COMMAND|MESSAGE|CONTENT|QUERY|tool_\w+|file(_?path)?|input)\}?(?=$|[\s;|&)])/;

export const hookUnquoted = rule({
  id: 'HOOK-004',
  severity: 'medium',
  summary: 'A hook puts text that the model chose into a shell line without quotes',
  owasp: ['ASI05'],
  remedy: 'Quote the variable ("$FILE"), or read the JSON from standard input',
  *check({ hooks }) {
    for (const { doc, command, kind, line } of hooks) {
      const match = kind === 'command' ? unquoted.exec(command.replace(/"(?:[^"\\]|\\.)*"|'[^']*'/g, '""')) : null;
      if (match !== null) yield { doc, line, message: `$${match[1] ?? ''} stands unquoted in the hook: a file name with a ";" in it runs` };
    }
  },
});
