// Claude Code and its relatives (Qoder CLI, CodeBuddy): deny beats ask beats allow over the union of all scopes; scalars are decided by
// the highest scope. Managed files stand above local, project and user. Read in the programs named in the catalogue.
import type { Doc } from '../load.ts';
import { at, entriesOf, flag, type Node, text, texts } from '../read/node.ts';
import { type Answer, answer, compareVersions, type Dialect, mcpTarget, type Question, type Situation, sourceOf } from './dialect.ts';
import { actionOf, type Grant, parseToolRule, type Source } from './grant.ts';
import { absolute, isInside, matchesHost, matchesRule } from './paths.ts';
import {
  bareCommand,
  isReadOnly,
  matchesStars,
  pathsIn,
  plainCommand,
  redirectedTo,
  splitShell,
  startsWithWords,
  withoutRedirections,
} from './shell.ts';

const strength: Readonly<Record<Doc['scope'], number>> = { managed: 5, local: 4, project: 3, state: 2, user: 1 };

export const claude: Dialect = { grants, decide };

function grants(doc: Doc): readonly Grant[] {
  const out: Grant[] = [];
  const add = (mode: Grant['mode'], raw: string, line: number, workspace: string | undefined): void => {
    const parsed = parseToolRule(raw);
    const tool = parsed?.tool ?? raw;
    out.push({
      agent: doc.agent.id,
      dialect: doc.agent.dialect,
      workspace,
      isSample: doc.workspace?.isSample ?? false,
      mode,
      action: actionOf(tool) ?? 'any',
      pattern: parsed?.argument ?? '*',
      raw,
      tool,
      source: sourceOf(doc, line),
      priority: 0,
    });
  };
  for (const mode of ['deny', 'ask', 'allow'] as const)
    for (const { value, line } of texts(at(doc.root, 'permissions', mode))) add(mode, value, line, doc.workspace?.path);
  // Rules that a person granted in a dialog stand in the state file, by workspace.
  for (const { key, node } of entriesOf(at(doc.root, 'projects')))
    for (const { value, line } of texts(at(node, 'allowedTools'))) add('allow', value, line, key);
  return out;
}

interface Setting {
  readonly node: Node;
  readonly source: Source;
}

/** The value of a scalar in the strongest scope that has it. */
function setting({ docs }: Situation, accept: (doc: Doc) => boolean, ...keys: readonly string[]): Setting | undefined {
  let best: { rank: number; found: Setting } | undefined;
  for (const doc of docs) {
    const node = at(doc.root, ...keys);
    if (node === undefined || !accept(doc) || doc.scope === 'state') continue;
    const rank = strength[doc.scope];
    if (best === undefined || rank >= best.rank) best = { rank, found: { node, source: sourceOf(doc, node.line) } };
  }
  return best?.found;
}

/** True when the state file records that a person trusted this directory or one above it. */
export function isTrusted({ docs, workspace, agent, home }: Situation): boolean {
  if (agent.id === 'qoder-cli' || agent.id === 'codebuddy') {
    const lists = docs
      .filter(({ scope }) => scope === 'user')
      .flatMap(({ root }) => [
        ...texts(at(root, 'permissions', 'trustDirectories')),
        ...texts(at(root, 'permissions', 'additionalDirectories')),
        ...texts(at(root, 'trustedDirectories')),
      ]);
    if (
      docs.some(
        ({ root, scope }) =>
          scope === 'user' && (flag(at(root, 'trustAll')) === true || flag(at(root, 'security', 'folderTrust', 'enabled')) === false),
      )
    )
      return true;
    return lists.some(({ value }) => isInside(workspace, value.replace(/^~(?=\/|$)/, home)));
  }
  return docs.some(
    ({ scope, root }) =>
      scope === 'state' &&
      entriesOf(at(root, 'projects')).some(
        ({ key, node }) => isInside(workspace, key) && flag(at(node, 'hasTrustDialogAccepted')) === true,
      ),
  );
}

function decide(situation: Situation, question: Question): Answer {
  const { docs, agent, version } = situation;
  const trusted = isTrusted(situation);
  const managedOnly = docs.some((doc) => doc.scope === 'managed' && flag(at(doc.root, 'allowManagedPermissionRulesOnly')) === true);
  const isOfRepository = (doc: Doc): boolean => doc.scope === 'project' || doc.scope === 'local';
  const rules = docs
    .filter((doc) => !managedOnly || doc.scope === 'managed')
    .flatMap((doc) => grants(doc).filter((grant) => grant.mode !== 'allow' || trusted || !isOfRepository(doc)))
    .filter((grant) => grant.workspace === undefined || isInside(situation.workspace, grant.workspace))
    .sort((a, b) => rankOf(b.source) - rankOf(a.source));
  const matches = (mode: Grant['mode']): Grant | undefined =>
    rules.find((grant) => grant.mode === mode && covers(grant, question, situation));

  const denied = matches('deny');
  if (denied !== undefined) return answer('deny', denied.source);
  const mode = modeOf(situation, trusted);
  const refusal = (source: Source): Answer => answer(mode.name === 'dontAsk' ? 'deny' : 'ask', source);
  const asked = matches('ask');
  if (asked !== undefined) return refusal(asked.source);
  const sandbox = question.action === 'shell' ? sandboxOf(situation, question.target, trusted) : undefined;
  if (mode.name === 'bypassPermissions') return answer(sandbox === undefined ? 'allow' : 'sandboxed', mode.source);
  const allowed = question.action === 'shell' ? allowedCommand(rules, question.target, situation) : matches('allow');
  if (allowed !== undefined) return answer(sandbox === undefined ? 'allow' : 'sandboxed', allowed.source);
  if (sandbox?.autoAllow === true) return answer('sandboxed', sandbox.source);
  const builtIn = withoutRule(situation, question, mode.name);
  if (builtIn) return answer(sandbox === undefined ? 'allow' : 'sandboxed', builtIn === 'by-mode' ? mode.source : answer('allow').source);
  if (mode.name === 'auto' && !(agent.id === 'claude-code' && version !== undefined && compareVersions(version, '2.1.0') < 0))
    return answer('allow', mode.source);
  return mode.name === 'dontAsk'
    ? answer('deny', mode.source)
    : answer('ask', mode.name === 'default' ? answer('ask').source : mode.source);
}

function rankOf({ scope }: Source): number {
  return scope === 'default' ? 0 : strength[scope];
}

interface ModeSetting {
  readonly name: string;
  readonly source: Source;
}

/** A repository may set a mode, except those that switch the questions off. */
function modeOf(situation: Situation, trusted: boolean): ModeSetting {
  const { agent, version, docs } = situation;
  const key = agent.id === 'qoder-cli' ? ['general', 'defaultPermissionMode'] : ['permissions', 'defaultMode'];
  const isOldClaude = agent.id === 'claude-code' && version !== undefined && compareVersions(version, '2.1.197') <= 0;
  const accept = (doc: Doc): boolean => {
    const value = normalMode(text(at(doc.root, ...key)) ?? '');
    if (doc.scope !== 'project' && doc.scope !== 'local') return true;
    if (!trusted || value === 'auto') return false;
    return value !== 'bypassPermissions' || isOldClaude;
  };
  const found = setting(situation, accept, ...key);
  const name = normalMode(text(found?.node) ?? 'default');
  const bypassOff = docs.some(
    (doc) =>
      text(at(doc.root, 'permissions', 'disableBypassPermissionsMode')) === 'disable' ||
      flag(at(doc.root, 'security', 'disableYoloMode')) === true,
  );
  const autoOff = docs.some(
    (doc) => text(at(doc.root, 'disableAutoMode')) === 'disable' || text(at(doc.root, 'permissions', 'disableAutoMode')) === 'disable',
  );
  if ((name === 'bypassPermissions' && bypassOff) || (name === 'auto' && autoOff)) return { name: 'default', source: answer('ask').source };
  return { name, source: found?.source ?? answer('ask').source };
}

function normalMode(mode: string): string {
  const names: Readonly<Record<string, string>> = {
    bypass_permissions: 'bypassPermissions',
    yolo: 'bypassPermissions',
    accept_edits: 'acceptEdits',
    dont_ask: 'dontAsk',
  };
  return names[mode] ?? mode;
}

/** What runs inside the agent's own sandbox; `undefined` when this command would not. */
function sandboxOf(
  situation: Situation,
  command: string,
  trusted: boolean,
): { readonly autoAllow: boolean; readonly source: Source } | undefined {
  const accept = (doc: Doc): boolean => trusted || (doc.scope !== 'project' && doc.scope !== 'local');
  const enabled = setting(situation, accept, 'sandbox', 'enabled');
  if (enabled === undefined || flag(enabled.node) !== true) return undefined;
  const excluded = situation.docs.filter(accept).flatMap(({ root }) => texts(at(root, 'sandbox', 'excludedCommands')));
  const isExcluded = splitShell(command).commands.some((one) =>
    excluded.some(({ value }) => matchesCommand(value, bareCommand(one)) || startsWithWords(bareCommand(one), value)),
  );
  if (isExcluded) return undefined;
  const auto = setting(situation, accept, 'sandbox', 'autoAllowBashIfSandboxed');
  return { autoAllow: flag(auto?.node) !== false, source: enabled.source };
}

/** Every single command must be covered; what substitutes commands is covered by a rule for everything only. */
export function allowedCommand(rules: readonly Grant[], line: string, situation: Situation): Grant | undefined {
  const shell = splitShell(line);
  const allows = rules.filter((grant) => grant.mode === 'allow' && (grant.action === 'shell' || grant.action === 'any'));
  const whole = allows.find((grant) => grant.action === 'any' || isEverything(grant.pattern) || grant.pattern === line.trim());
  if (whole !== undefined) return whole;
  if (shell.hasSubstitution) return undefined;
  let last: Grant | undefined;
  for (const command of shell.commands) {
    const grant = allows.find(
      ({ pattern }) => matchesCommand(pattern, command) || matchesCommand(pattern, plainCommand(withoutRedirections(command))),
    );
    if (grant === undefined && !isQuietCommand(command, situation)) return undefined;
    last = grant ?? last;
  }
  // What a rule allows it does not allow to write to another file.
  return redirectedTo(line).length > 0 ? undefined : last;
}

export function isEverything(pattern: string): boolean {
  return /^(\*|\*\*|:\*|\*:\*)?$/.test(pattern.trim());
}

/** `npm test`, `git:*`, `git *` (also plain `git`), `git * main`. */
export function matchesCommand(pattern: string, command: string): boolean {
  const bare = pattern.trim();
  if (isEverything(bare)) return true;
  if (bare.endsWith(':*')) return startsWithWords(command, bare.slice(0, -2).trim());
  if (bare.endsWith(' *') && !bare.slice(0, -2).includes('*')) return startsWithWords(command, bare.slice(0, -2));
  return matchesStars(bare, command);
}

/** Whether a rule speaks of what is asked. */
export function covers(grant: Grant, { action, target }: Question, situation: Situation): boolean {
  if (grant.action === 'any') return grant.tool === '*';
  if (action === 'shell') {
    const { commands } = splitShell(target);
    if (grant.action === 'shell')
      return (
        isEverything(grant.pattern) ||
        grant.pattern === target.trim() ||
        commands.some((one) => matchesCommand(grant.pattern, one) || matchesCommand(grant.pattern, bareCommand(one)))
      );
    // A denied file stays denied to `cat` and the like; allow rules for files grant no command.
    if (grant.mode === 'deny' && (grant.action === 'read' || grant.action === 'write') && isLiveFileRule(grant)) {
      return (
        grant.pattern !== '*' &&
        (commands.some(
          (one) => isFileCommand(one, grant.action === 'write') && pathsIn(one).some((file) => coversPath(grant, file, situation)),
        ) ||
          (grant.action === 'write' && redirectedTo(target).some((file) => coversPath(grant, file, situation))))
      );
    }
    return false;
  }
  if (action === 'mcp') return grant.action === 'mcp' && coversTool(grant.tool, target);
  if (grant.action !== action) return false;
  if (action === 'network') {
    if (isEverything(grant.pattern)) return /fetch/i.test(grant.tool) || grant.tool === '*';
    return /fetch/i.test(grant.tool) && matchesHost(grant.pattern.replace(/^domain:/, ''), target, situation.agent.dialect === 'qwen');
  }
  return isLiveFileRule(grant) && coversPath(grant, target, situation);
}

/** Claude Code looks at `Read(…)` and `Edit(…)` for files: `Write(…)`, `Glob(…)` and `Grep(…)` with a path match nothing. */
export function isLiveFileRule(grant: Grant): boolean {
  return grant.pattern === '*' || grant.agent !== 'claude-code' || /^(Read|Edit)$/.test(grant.tool);
}

function coversPath(grant: Grant, target: string, { workspace, home }: Situation): boolean {
  if (grant.pattern === '*') return true;
  const base = { workspace, home };
  const root = grant.source.scope === 'user' || grant.source.scope === 'managed' ? home : (grant.workspace ?? workspace);
  // What is not understood may allow everything, and is not known to forbid anything.
  return matchesRule(grant.pattern, absolute(target, base), root, base) ?? grant.mode === 'allow';
}

function isFileCommand(command: string, isWrite: boolean): boolean {
  return (
    isWrite
      ? /^(sed|tee|cp|mv|rm|touch|truncate|dd|chmod|install|ln)\b/
      : /^(cat|head|tail|sed|less|more|grep|rg|awk|nl|od|xxd|strings|cp|mv|base64|tac|wc|diff|sort|cut)\b/
  ).test(bareCommand(command));
}

/** `mcp__server`, `mcp__server__*`, `mcp__server__tool`, `mcp__*`. */
function coversTool(rule: string, target: string): boolean {
  const { server, tool } = mcpTarget(target);
  const [, ruleServer = '', ruleTool = '*'] = /^mcp__(.*?)(?:__(.*))?$/.exec(rule) ?? [];
  return matchesStars(ruleServer === '' ? '*' : ruleServer, server) && (ruleTool === '*' || matchesStars(ruleTool, tool));
}

export function isQuietCommand(command: string, situation: Situation): boolean {
  return isReadOnly(command) && pathsIn(command).every((word) => !/^(\/|~|\.\.)/.test(word) || isWorkFile(word, situation));
}

export function isWorkFile(target: string, situation: Situation): boolean {
  const { workspace, home, docs } = situation;
  const file = absolute(target, { workspace, home });
  const more = docs.flatMap(({ root }) => texts(at(root, 'permissions', 'additionalDirectories')));
  return isInside(file, workspace) || more.some(({ value }) => isInside(file, absolute(value, { workspace, home })));
}

const protectedFile =
  /(^|\/)(\.git|\.vscode|\.idea|\.husky|\.claude)(\/|$)|(^|\/)\.(bashrc|bash_profile|zshrc|profile|gitconfig|mcp\.json)$/;

/** What runs without any rule: reading at home in the workspace, commands that only read, and what the mode adds. */
function withoutRule(situation: Situation, { action, target }: Question, mode: string): false | 'always' | 'by-mode' {
  if (action === 'read') return isWorkFile(target, situation) ? 'always' : false;
  if (action === 'shell') {
    const { commands, hasSubstitution } = splitShell(target);
    if (hasSubstitution || commands.length === 0) return false;
    if (commands.every((one) => isQuietCommand(one, situation))) return 'always';
    const files = (one: string): boolean =>
      /^(mkdir|touch|rm|rmdir|mv|cp|sed)\b/.test(bareCommand(one)) &&
      pathsIn(one).every((word) => isWorkFile(word, situation) && !protectedFile.test(word));
    const areEdits = commands.map(withoutRedirections).every((one) => isQuietCommand(one, situation) || files(one));
    const targets = redirectedTo(target).every((file) => isWorkFile(file, situation) && !protectedFile.test(file));
    return mode === 'acceptEdits' && areEdits && targets ? 'by-mode' : false;
  }
  if (action === 'write' && (mode === 'acceptEdits' || mode === 'auto'))
    return isWorkFile(target, situation) && !protectedFile.test(target) ? 'by-mode' : false;
  return false;
}
