// Gemini CLI: every rule has a priority, the highest match decides; a command line is as free as its least free part. After
// docs/reference/policy-engine.md, policies/*.toml and policy/policy-engine of the package 0.61.0; checked against it in test/e2e/oracle.
import path from 'node:path';
import type { Doc } from '../load.ts';
import { at, flag, text } from '../read/node.ts';
import { type Answer, answer, byDefault, compareVersions, type Dialect, mcpTarget, type Question, type Situation } from './dialect.ts';
import { policyRules, type Rule, replacedLists, settingsRules } from './gemini-rules.ts';
import { commandsIn, containsGit, isDangerous, isKnownSafe, shellWords, unwrapped } from './gemini-shell.ts';
import { actionOf, type Grant } from './grant.ts';
import { absolute, isInside } from './paths.ts';
import { isTrustedFolder } from './qwen.ts';
import { matchesStars, splitShell } from './shell.ts';

export const gemini: Dialect = { grants, decide };

const questionTools: Readonly<Record<Question['action'], string>> = {
  shell: 'run_shell_command',
  read: 'read_file',
  write: 'write_file',
  network: 'web_fetch',
  mcp: '',
};
const readers = ['glob', 'grep_search', 'list_directory', 'read_file', 'google_web_search'];
const builtIn: readonly Rule[] = [
  builtInRule('deny', 1.07, ['write_file', 'replace'], ['plan']),
  builtInRule('allow', 1.05, readers),
  builtInRule('ask', 1.05, ['web_fetch', 'activate_skill'], ['plan']),
  builtInRule('deny', 1.04, ['*'], ['plan']),
  builtInRule('allow', 1.015, ['replace', 'write_file', 'web_fetch'], ['autoEdit']),
  builtInRule('ask', 1.01, ['replace', 'run_shell_command', 'write_file', 'activate_skill', 'web_fetch']),
];

function builtInRule(mode: Grant['mode'], priority: number, tools: readonly string[], modes: readonly string[] = []): Rule {
  return { tools, mode, priority, source: byDefault, modes, allowsRedirection: false, raw: tools.join(', '), pattern: '*' };
}

function grants(doc: Doc): readonly Grant[] {
  const rules = doc.path.endsWith('.toml') ? policyRules(doc, false) : settingsRules(doc, false, () => true);
  return rules.flatMap((rule) =>
    rule.tools.map((tool) => ({
      agent: doc.agent.id,
      dialect: doc.agent.dialect,
      workspace: doc.workspace?.path,
      isSample: doc.workspace?.isSample ?? false,
      mode: rule.mode,
      action: tool.startsWith('mcp_') ? ('mcp' as const) : (actionOf(tool) ?? 'any'),
      pattern: rule.pattern === '*' && tool.startsWith('mcp_') ? tool.slice(4) : rule.pattern,
      raw: rule.raw,
      tool,
      source: rule.source,
      priority: rule.priority,
    })),
  );
}

/** What decides one question: the rules in force, strongest first, and the mode of the session. */
interface Session {
  readonly rules: readonly Rule[];
  readonly mode: string;
  readonly isTrusted: boolean;
  readonly situation: Situation;
}

function sessionOf(situation: Situation): Session {
  const { agent, version } = situation;
  const isTrusted = isTrustedFolder(situation, true);
  const docs = situation.docs
    .filter((doc) => isTrusted || (doc.scope !== 'project' && doc.scope !== 'local'))
    .sort((a, b) => weight(a) - weight(b));
  const mode = isTrusted ? approvalMode(docs) : 'default';
  const isMeasured = agent.id === 'gemini-cli' && version !== undefined && compareVersions(version, '0.61.0') >= 0;
  const strongest = new Map(replacedLists.map((list) => [list.join('.'), docs.findLast(({ root }) => at(root, ...list) !== undefined)]));
  const counts = (doc: Doc) => (list: readonly string[]) => !strongest.has(list.join('.')) || strongest.get(list.join('.')) === doc;
  const policies = docs.filter(({ path: file }) => file.endsWith('.toml')).flatMap((doc) => policyRules(doc, isMeasured));
  const settings = docs.filter(({ path: file }) => file.endsWith('settings.json') || file.endsWith('defaults.json'));
  const rules = [...policies, ...settings.flatMap((doc) => settingsRules(doc, isMeasured, counts(doc))), ...builtIn]
    .filter(({ modes }) => modes.length === 0 || modes.includes(mode))
    .sort((a, b) => b.priority - a.priority);
  return { rules, mode, isTrusted, situation };
}

function decide(situation: Situation, question: Question): Answer {
  const session = sessionOf(situation);
  if (question.action === 'shell') return shell(session, question.target, true);
  const rule = find(session, question.action === 'mcp' ? mcpTool(question.target) : questionTools[question.action], question.target);
  if (rule?.mode === 'allow' && (question.action === 'read' || question.action === 'write')) {
    // The file tools refuse paths outside the workspace whatever the rules say.
    if (!isInside(absolute(question.target, situation), situation.workspace)) return answer('deny');
    if (question.action === 'write' && isBuildFile(question.target)) return answer('ask');
  }
  return rule === undefined ? answer('ask') : answer(rule.mode, rule.source);
}

function find({ rules }: Session, tool: string, target: string): Rule | undefined {
  return rules.find((rule) => rule.tools.some((one) => matchesStars(one, tool)) && (rule.matches?.(target) ?? true));
}

/** @param isWhole the line as the model sent it, for which commands that only read are let through */
function shell(session: Session, line: string, isWhole: boolean, depth = 0): Answer {
  const rule = find(session, 'run_shell_command', line);
  const source = rule?.source ?? byDefault;
  const ruled = rule?.mode ?? 'ask';
  if (line === '' || ruled === 'deny') return answer(ruled, source);
  const parts = commandsIn(line);
  if (parts === undefined || depth > 4) return answer('ask', source);
  let worst = answer(isWhole && rule?.matches === undefined ? heuristics(session, line, ruled) : ruled, source);
  const keepsRedirection = rule?.allowsRedirection === true || session.mode === 'autoEdit';
  if (worst.mode === 'allow' && !keepsRedirection && splitShell(line).hasRedirection) worst = answer('ask', source);
  for (const part of parts) {
    const inner = unwrapped(part);
    const checks = [...(inner === part ? [] : [inner]), ...(part === line ? [] : [part])];
    for (const one of checks) {
      const found = shell(session, one, false, depth + 1);
      if (found.mode === 'deny') return found;
      if (found.mode === 'ask' && worst.mode === 'allow') worst = found;
    }
  }
  return worst;
}

function heuristics({ isTrusted, situation }: Session, line: string, mode: 'allow' | 'ask'): 'allow' | 'ask' {
  const words = shellWords(line);
  if ((containsGit(words) && !isTrusted) || isDangerous(words)) return 'ask';
  return isKnownSafe(words, situation) ? 'allow' : mode;
}

const buildFiles = new Set(
  'BUILD BUILD.bazel WORKSPACE WORKSPACE.bazel MODULE.bazel .bazelrc .blazerc Makefile makefile GNUmakefile CMakeLists.txt package.json package-lock.json pnpm-lock.yaml yarn.lock bun.lockb setup.py setup.cfg pyproject.toml go.mod go.sum Cargo.toml Cargo.lock pom.xml build.gradle build.gradle.kts settings.gradle settings.gradle.kts Dockerfile Containerfile'.split(
    ' ',
  ),
);

/** Asked about before each change, whatever the rules say. */
function isBuildFile(file: string): boolean {
  const name = path.posix.basename(file);
  return buildFiles.has(name) || /^(Docker|Container)file\./.test(name) || /\.(bzl|bazel|bzlmod|mk|cmake)$/i.test(name);
}

function mcpTool(target: string): string {
  const { server, tool } = mcpTarget(target);
  return `mcp_${server}_${tool}`;
}

function weight({ scope, path: file }: Doc): number {
  if (file.endsWith('system-defaults.json')) return 0;
  return { user: 1, state: 1, project: 2, local: 2, managed: 3 }[scope];
}

function approvalMode(docs: readonly Doc[]): string {
  const stated = docs.map(({ root }) => text(at(root, 'general', 'defaultApprovalMode'))).findLast((mode) => mode !== undefined);
  const hasPlan = docs.map(({ root }) => flag(at(root, 'general', 'plan', 'enabled'))).findLast((value) => value !== undefined) ?? true;
  // `yolo` is accepted as a flag only.
  if (stated === 'auto_edit') return 'autoEdit';
  return stated === 'plan' && hasPlan ? 'plan' : 'default';
}
