import { isEveryCommand, isInterpreter, isRootLike } from './commands.ts';
import { hitOf } from './on-grant.ts';
import { confidenceOf, rule } from './rule.ts';

const words: Readonly<Record<string, string>> = {
  bypass: 'switches all questions off',
  'bypass-accepted': 'accepts the warning before the mode without questions',
  'any-command': 'allows itself every command',
  'sandbox-off': 'switches the sandbox off',
  'sandbox-network': 'opens the network of the sandbox',
  'sandbox-escape': 'opens a way out of the sandbox',
  'all-mcp': 'approves all tools of servers',
  'trust-off': 'switches the question for trust off',
  'write-outside': 'allows itself to write outside the workspace',
  'fetch-any': 'allows itself any address',
};

export const grantsItself = rule({
  id: 'PROJ-004',
  severity: 'critical',
  summary: 'A repository grants permissions to the agent that works on it',
  owasp: ['ASI03'],
  remedy: 'Move what the team needs into managed settings, and remove it from the repository',
  *check({ signals, grants, agents }) {
    for (const { means, doc, key, value, line, confidence } of signals) {
      if (doc.scope !== 'project' && doc.scope !== 'local') continue;
      const what = Object.hasOwn(words, means) ? words[means] : undefined;
      if (what === undefined) continue;
      const version = agents.find(({ entry, version: known }) => entry.id === doc.agent.id && known !== undefined)?.version;
      const isHeeded = !(doc.agent.id === 'claude-code' && means === 'bypass');
      yield {
        doc,
        line,
        message: `the repository ${what} (${key} = ${value})${isHeeded ? '' : version === undefined ? '; Claude Code up to 2.1.197 obeys, later ones ignore it' : `; the installed ${version} ${isOld(version) ? 'obeys' : 'ignores it'}`}`,
        confidence: confidenceOf(confidence),
      };
    }
    for (const grant of grants) {
      if (grant.mode !== 'allow' || (grant.source.scope !== 'project' && grant.source.scope !== 'local')) continue;
      const isBroadFile = grant.action === 'write' && /^(\*\*?|\/\/.*|~.*|\/\*\*)$/.test(grant.pattern);
      const isBroadNetwork = grant.action === 'network' && grant.pattern === '*' && /fetch|url/i.test(grant.tool);
      if (isEveryCommand(grant) || isInterpreter(grant) !== undefined || isRootLike(grant) !== undefined || isBroadFile || isBroadNetwork)
        yield hitOf(grant, `the repository allows "${grant.raw}" to the agent that works on it`);
    }
  },
});

function isOld(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return major < 2 || (major === 2 && (minor < 1 || (minor === 1 && patch <= 197)));
}
