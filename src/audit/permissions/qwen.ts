// Qwen Code: Claude-like rules over all scopes (deny, ask, allow), the mode of the Gemini line, and no folder trust unless it is switched on.
import type { Doc } from '../load.ts';
import { at, entriesOf, flag, text, texts } from '../read/node.ts';
import { claude, covers, isEverything, isWorkFile, matchesCommand } from './claude.ts';
import { type Answer, answer, byDefault, compareVersions, type Dialect, type Question, type Situation, sourceOf } from './dialect.ts';
import { unwrapped } from './gemini-shell.ts';
import { actionOf, type Grant, parseToolRule, type Source } from './grant.ts';
import { absolute, isInside, matchesHost } from './paths.ts';
import { safetyOf } from './qwen-shell.ts';
import { bareCommand, pathsIn, splitShell, startsWithWords } from './shell.ts';

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
  // The administrator's word counts most, his defaults least.
  const settings = docs.filter(({ scope }) => scope === 'managed' || scope === 'user').sort((a, b) => weight(a) - weight(b));
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
  const first = (mode: Grant['mode']): Grant | undefined =>
    rules.find((grant) => grant.mode === mode && (covers(grant, question, here) || (mode !== 'allow' && coversActOf(grant, question))));
  const core = docs.map(({ root }) => texts(at(root, 'tools', 'core'))).findLast((list) => list.length > 0);
  const [listed] = core ?? [];
  if (
    core !== undefined &&
    listed !== undefined &&
    question.action !== 'mcp' &&
    !core.some(({ value }) => actionOf(parseToolRule(value)?.tool ?? value) === question.action)
  ) {
    const doc = docs.findLast(({ root }) => texts(at(root, 'tools', 'core')).length > 0);
    if (doc !== undefined) return answer('deny', sourceOf(doc, listed.line));
  }
  const denied = first('deny');
  if (denied !== undefined) return answer('deny', denied.source);
  const mode = modeOf(here, docs);
  // Measured with 0.24.4: in this mode deny rules hold, ask rules do not.
  if (mode.name === 'yolo') return answer('allow', mode.source);
  const asked = first('ask');
  if (asked !== undefined) return answer('ask', asked.source);
  const allowed = question.action === 'shell' ? allowedLine(rules, question.target) : first('allow');
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
    const safety = safetyOf(mode.name === 'plan' ? question.target : unwrapped(question.target));
    if (safety === 'read-only') return answer('allow');
    if (mode.name === 'plan') return answer(safety === 'write' ? 'deny' : 'ask', mode.source);
  }
  if (mode.name === 'auto') return answer('allow', mode.source);
  if (mode.name === 'plan' && question.action === 'network') return answer('ask', mode.source);
  if (mode.name === 'plan' && question.action !== 'read') return answer('deny', mode.source);
  const isEdit =
    (question.action === 'write' && isInside(absolute(question.target, here), here.workspace)) ||
    (question.action === 'shell' && /^sed\s+(-i|--in-place)/.test(question.target) && splitShell(question.target).commands.length === 1);
  if (mode.name === 'auto-edit' && (isEdit || question.action === 'network')) return answer('allow', mode.source);
  return answer('ask', mode.source);
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

const readsFiles = /^(cat|head|tail|tac|less|more|nl|od|xxd|strings|wc|diff|sort|cut|uniq|sed(?!\s+-i)|awk|grep|rg|stat|cp|mv|ln)\b/;
const lists = /^(ls|find|tree)\b/;

/** A rule for a tool also holds for what a command does in its place: reading a file, fetching an address. */
function coversActOf({ action, pattern, tool }: Grant, question: Question): boolean {
  if (question.action !== 'shell') return false;
  const { commands } = splitShell(question.target);
  if (action === 'read')
    return (
      isEverything(pattern) &&
      /^read/i.test(tool) &&
      commands.map(bareCommand).some((one) => lists.test(one) || (readsFiles.test(one) && pathsIn(one).length > 0))
    );
  if (action !== 'network' || !/fetch/i.test(tool)) return false;
  const hosts = commands
    .filter((one) => /^(curl|wget)\b/.test(bareCommand(one)))
    .flatMap((one) => one.match(/\bhttps?:\/\/[^\s"']+/g) ?? []);
  return hosts.some((url) => isEverything(pattern) || matchesHost(pattern.replace(/^domain:/, ''), url, true));
}

/** Each command of the line by a rule, or by being one that only reads. A rule without a wildcard covers what begins with its words. */
function allowedLine(rules: readonly Grant[], line: string): Grant | undefined {
  const allows = rules.filter((grant) => grant.mode === 'allow' && (grant.action === 'shell' || grant.action === 'any'));
  const whole = allows.find(({ action, pattern }) => action === 'any' || isEverything(pattern));
  if (whole !== undefined) return whole;
  let last: Grant | undefined;
  for (const command of splitShell(line).commands) {
    const bare = bareCommand(command);
    const grant = allows.find(
      ({ pattern }) => matchesCommand(pattern, bare) || (!pattern.includes('*') && startsWithWords(bare, pattern.trim())),
    );
    if (grant === undefined && safetyOf(command) !== 'read-only') return undefined;
    last = grant ?? last;
  }
  return last;
}
