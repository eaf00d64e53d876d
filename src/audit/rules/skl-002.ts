import { linesOf } from './commands.ts';
import { rule } from './rule.ts';

const allTools = /^\s*(allowed-tools|allowedTools|tools|permissions?)\s*:\s*(.*)$/i;
const broad =
  /\bBash(\s*\(\s*(\*|:\*|\*:\*)\s*\))?(?=\s*(,|\]|"|'|$))|(^|[\s,["'])\*(?=$|[\s,\]"'])|\bShell\(\*\*?\)|\bBash\((curl|wget|bash|sh|python3?|node|sudo|docker|env|eval)\b/;
const mode = /^\s*(permissionMode|permission-mode)\s*:\s*["']?(bypassPermissions|acceptEdits|dontAsk|yolo)/i;
const inlineShell = /!`([^`]+)`/;

export const skillGrants = rule({
  id: 'SKL-002',
  severity: 'high',
  summary: 'A skill, command or agent file grants itself tools, or runs a command when it is loaded',
  owasp: ['ASI02'],
  remedy: 'Name the tools it needs; disable shell in skills (disableSkillShellExecution)',
  *check({ docs }) {
    const seen = new Set<string>();
    for (const doc of docs) {
      if (doc.file.role !== 'skill' || doc.fault !== undefined || seen.has(doc.path) || !/\.(md|mdc|yaml|yml|toml)$/i.test(doc.path))
        continue;
      seen.add(doc.path);
      const end = /^---\r?\n/.test(doc.text) ? doc.text.indexOf('\n---', 4) : 0;
      const frontLines = doc.text.slice(0, Math.max(0, end)).split('\n').length;
      let listKey = false;
      for (const [line, content] of linesOf(doc.text)) {
        const inFront = end > 0 && line <= frontLines;
        const value = allTools.exec(content)?.[2];
        if (inFront && value !== undefined) {
          listKey = value.trim() === '';
          if (broad.test(value)) yield { doc, line, message: `grants itself tools without limit: ${content.trim().slice(0, 80)}` };
        } else if (inFront && listKey && /^\s*-\s*/.test(content)) {
          if (broad.test(content.replace(/^\s*-\s*/, '')))
            yield { doc, line, message: `grants itself tools without limit: ${content.trim().slice(0, 80)}` };
        } else listKey = false;
        if (inFront && mode.test(content)) yield { doc, line, message: `sets a mode without questions: ${content.trim().slice(0, 80)}` };
        const command = inFront ? undefined : inlineShell.exec(content)?.[1];
        if (
          command !== undefined &&
          !/^\s*(git (status|diff|log|branch|show)|pwd|ls|date|cat|echo|node --version)\b[^|;&$`]*$/.test(command)
        )
          yield { doc, line, severity: 'medium', message: `runs a command when it is loaded: ${command.slice(0, 80)}` };
      }
    }
  },
});
