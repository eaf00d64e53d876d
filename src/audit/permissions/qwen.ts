// Qwen Code: Claude-like rules over all scopes (deny, ask, allow), the mode of the Gemini line, and no folder trust unless it is switched on.
import type { Doc } from '../load.ts';
import { at, entriesOf, flag, text, texts } from '../read/node.ts';
import { allowedCommand, claude, covers, isQuietCommand, isWorkFile } from './claude.ts';
import { type Answer, answer, byDefault, compareVersions, type Dialect, type Question, type Situation, sourceOf } from './dialect.ts';
import { actionOf, type Grant, parseToolRule, type Source } from './grant.ts';
import { absolute, isInside } from './paths.ts';
import { splitShell } from './shell.ts';

export const qwen: Dialect = { grants, decide };

function grants(doc: Doc): readonly Grant[] {
  const legacy = (mode: 'allow' | 'deny', key: string): readonly Grant[] =>
    texts(at(doc.root, 'tools', key) ?? at(doc.root, key === 'allowed' ? 'allowedTools' : 'excludeTools')).map(({ value, line }) => {
      const parsed = parseToolRule(value);
      const tool = parsed?.tool ?? value;
      const argument = parsed?.argument;
      return {
        agent: doc.agent.id,
        dialect: doc.agent.dialect,
        workspace: doc.workspace?.path,
        isSample: doc.workspace?.isSample ?? false,
        mode,
        action: actionOf(tool) ?? 'any',
        pattern: argument === undefined ? '*' : `${argument}:*`,
        raw: value,
        tool,
        source: sourceOf(doc, line),
        priority: 0,
      };
    });
  return [...claude.grants(doc), ...legacy('allow', 'allowed'), ...legacy('deny', 'exclude')];
}

/** Whether the repository's own settings are read. */
export function isTrustedFolder({ docs, workspace }: Situation, isOnByDefault: boolean): boolean {
  const settings = docs.filter(({ scope }) => scope === 'managed' || scope === 'user');
  const stated = settings.map(({ root }) => flag(at(root, 'security', 'folderTrust', 'enabled'))).filter((value) => value !== undefined);
  if (!(stated.at(-1) ?? isOnByDefault)) return true;
  const folders = docs.filter(({ path }) => path.endsWith('/trustedFolders.json')).flatMap(({ root }) => entriesOf(root));
  let best: { length: number; trusted: boolean } | undefined;
  for (const { key, node } of folders) {
    const level = text(node);
    const dir = level === 'TRUST_PARENT' ? key.replace(/\/[^/]+$/, '') || '/' : key;
    if (isInside(workspace, dir) && (best === undefined || key.length > best.length))
      best = { length: key.length, trusted: level !== 'DO_NOT_TRUST' };
  }
  return best?.trusted ?? false;
}

function decide(situation: Situation, question: Question): Answer {
  const trusted = isTrustedFolder(situation, false);
  const docs = situation.docs.filter((doc) => trusted || (doc.scope !== 'project' && doc.scope !== 'local'));
  const here: Situation = { ...situation, docs };
  const rank: Readonly<Record<Doc['scope'], number>> = { managed: 4, local: 3, project: 3, state: 0, user: 2 };
  const rules = docs.flatMap(grants).sort((a, b) => scopeRank(b.source, rank) - scopeRank(a.source, rank));
  const first = (mode: Grant['mode']): Grant | undefined => rules.find((grant) => grant.mode === mode && covers(grant, question, here));
  const denied = first('deny');
  if (denied !== undefined) return answer('deny', denied.source);
  const mode = modeOf(here, docs);
  // Measured with 0.24.4: in this mode deny rules hold, ask rules do not.
  if (mode.name === 'yolo') return answer('allow', mode.source);
  const asked = first('ask');
  if (asked !== undefined) return answer('ask', asked.source);
  const allowed = question.action === 'shell' ? allowedCommand(rules, question.target, here) : first('allow');
  if (allowed !== undefined) return answer('allow', allowed.source);
  if (question.action === 'mcp') {
    const server = docs
      .flatMap((doc) => entriesOf(at(doc.root, 'mcpServers')).map((entry) => ({ ...entry, doc })))
      .find(({ key }) => question.target.includes(key));
    const trust = at(server?.node, 'trust');
    if (server !== undefined && trust !== undefined && flag(trust) === true) return answer('allow', sourceOf(server.doc, trust.line));
  }
  if (question.action === 'read' && isWorkFile(question.target, here)) return answer('allow');
  if (question.action === 'shell') {
    const { commands, hasSubstitution } = splitShell(question.target);
    if (!hasSubstitution && commands.length > 0 && commands.every((one) => isQuietCommand(one, here))) return answer('allow');
  }
  if (mode.name === 'auto') return answer('allow', mode.source);
  if (mode.name === 'plan' && question.action !== 'read') return answer('deny', mode.source);
  const isEdit = question.action === 'write' && isInside(absolute(question.target, here), here.workspace);
  if (mode.name === 'auto-edit' && isEdit) return answer('allow', mode.source);
  return answer('ask', mode.name === 'default' ? byDefault : mode.source);
}

function scopeRank({ scope }: Source, rank: Readonly<Record<Doc['scope'], number>>): number {
  return scope === 'default' ? 0 : rank[scope];
}

/** Without a setting, 0.24 and later start in `auto`, where a model decides instead of a person; before that, in `default`. */
function modeOf({ version }: Situation, docs: readonly Doc[]): { readonly name: string; readonly source: Source } {
  let found: { name: string; source: Source } | undefined;
  const order = [...docs].sort((a, b) => weight(a) - weight(b));
  for (const doc of order) {
    const node = at(doc.root, 'tools', 'approvalMode') ?? at(doc.root, 'approvalMode');
    const name = text(node);
    if (node !== undefined && name !== undefined) found = { name: normal(name), source: sourceOf(doc, node.line) };
  }
  const isAutoByDefault = version !== undefined && compareVersions(version, '0.24.0') >= 0;
  return found ?? { name: isAutoByDefault ? 'auto' : 'default', source: byDefault };
}

function normal(mode: string): string {
  return mode === 'auto_edit' || mode === 'autoEdit' ? 'auto-edit' : mode;
}

function weight({ scope, path }: Doc): number {
  if (path.endsWith('system-defaults.json')) return 0;
  return { user: 1, state: 1, project: 2, local: 2, managed: 3 }[scope];
}
