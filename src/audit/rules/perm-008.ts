import { decide, situationFor } from '../effective.ts';
import { hitOf } from './on-grant.ts';
import { rule } from './rule.ts';

export const denyWithGap = rule({
  id: 'PERM-008',
  severity: 'medium',
  summary: 'A file is denied to one tool and open to another',
  owasp: ['ASI02'],
  remedy: 'Deny the shell commands that read it too, or run the agent where the file does not exist (`intramur run`)',
  *check(facts) {
    for (const grant of facts.grants) {
      if (grant.mode !== 'deny' || (grant.action !== 'read' && grant.action !== 'write') || grant.pattern === '*') continue;
      const agent = facts.docs.find((doc) => doc.agent.id === grant.agent)?.agent;
      if (agent === undefined) continue;
      const workspace = grant.workspace ?? `${facts.homes[0] ?? '/root'}/any-directory`;
      const file = grant.pattern.replace(/^\/\//, '/').replace(/\*\*\/?\*?|\*/g, 'x');
      const situation = situationFor(facts, agent, workspace);
      // Not `cat`, which some agents know: any interpreter reads a file.
      const command = grant.action === 'read' ? `python3 -c "print(open('${file}').read())"` : `python3 -c "open('${file}','w')"`;
      const open = [command, `cat ${file}`].find((one) => decide(situation, { action: 'shell', target: one }).mode === 'allow');
      if (open !== undefined)
        yield hitOf(grant, `"${grant.raw}" is denied, but the shell may do the same: ${open.split(' ')[0] ?? ''} runs without a question`);
    }
  },
});
