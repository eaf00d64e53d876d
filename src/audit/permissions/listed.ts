// The agents whose permissions are lists: one evaluation for all of them. Their tables stand in list-editors.ts and list-terminals.ts.

import type { DialectId } from '../catalogue/index.ts';
import type { Doc } from '../load.ts';
import { type Answer, answer, type Dialect, mcpTarget, type Question, type Situation, sourceOf } from './dialect.ts';
import { matchesExpression } from './expression.ts';
import { actionOf, type Grant } from './grant.ts';
import { editorDialects } from './list-editors.ts';
import type { ListDialect, RawRule, RuleMode } from './list-rules.ts';
import { terminalDialects } from './list-terminals.ts';
import { absolute, isInside, matchesGlob, matchesHost, matchesRule } from './paths.ts';
import { matchesStars, splitShell, startsWithWords } from './shell.ts';

const dialects: Partial<Record<DialectId, ListDialect>> = { ...editorDialects, ...terminalDialects };

export function listDialect(id: DialectId): Dialect | undefined {
  const dialect = dialects[id];
  if (dialect === undefined) return undefined;
  return {
    grants: (doc) => (doc.root === undefined ? [] : dialect.rules(doc).map((raw) => grantOf(doc, raw))),
    decide: (situation, question) => decide(dialect, situation, question),
  };
}

function grantOf(doc: Doc, raw: RawRule): Grant {
  const pattern = raw.pattern ?? '*';
  return {
    agent: doc.agent.id,
    dialect: doc.agent.dialect,
    workspace: doc.workspace?.path,
    isSample: doc.workspace?.isSample ?? false,
    mode: raw.mode,
    action: raw.action ?? actionOf(raw.tool) ?? 'any',
    pattern: /^(\*\*|\.\*|\*:\*|)$/.test(pattern) ? '*' : pattern,
    raw: raw.pattern === undefined ? raw.tool : `${raw.tool}(${raw.pattern})`,
    tool: raw.tool,
    source: sourceOf(doc, raw.line),
    priority: 0,
  };
}

const weights: Readonly<Record<Doc['scope'], number>> = { user: 1, state: 1, project: 2, local: 3, managed: 4 };

function decide(dialect: ListDialect, situation: Situation, question: Question): Answer {
  const docs = [...situation.docs].sort((a, b) => weights[a.scope] - weights[b.scope]);
  const rules = docs.flatMap((doc) => (doc.root === undefined ? [] : dialect.rules(doc).map((raw) => ({ raw, doc }))));
  const hit = (target: string): { raw: RawRule; doc: Doc } | undefined =>
    pick(
      dialect.order,
      rules.filter(({ raw }) => applies(raw, { ...question, target }, situation)),
    );
  const mode = dialect.mode?.(docs);
  const isOn = mode?.actions.includes(question.action) === true;
  const parts = question.action === 'shell' ? splitShell(question.target).commands : [question.target];
  const found = (parts.length === 0 ? [question.target] : parts).map(hit);
  const worst = found.reduce((a, b) => (rank(b?.raw.mode) > rank(a?.raw.mode) ? b : a));
  if (worst?.raw.mode === 'deny') return answer('deny', sourceOf(worst.doc, worst.raw.line));
  if (isOn && mode !== undefined && (mode.effect !== 'allow' || worst?.raw.mode !== 'ask')) return answer(mode.effect, mode.source);
  if (worst !== undefined && !found.includes(undefined)) return answer(worst.raw.mode, sourceOf(worst.doc, worst.raw.line));
  const open = dialect.otherwise(question, situation, docs);
  // A command line of which only a part is covered by rules falls back to the default for the rest.
  return worst?.raw.mode === 'ask' ? answer('ask', sourceOf(worst.doc, worst.raw.line)) : open;
}

function rank(mode: RuleMode | undefined): number {
  return mode === undefined ? 0.5 : { allow: 0, ask: 1, deny: 2 }[mode];
}

type Placed = { readonly raw: RawRule; readonly doc: Doc };

function pick(order: ListDialect['order'], matching: readonly Placed[]): Placed | undefined {
  switch (order) {
    case 'first': {
      const groups = new Map<string, Placed>();
      for (const one of matching) if (!groups.has(one.raw.group ?? '')) groups.set(one.raw.group ?? '', one);
      return [...groups.values()].reduce<Placed | undefined>(
        (a, b) => (a === undefined || rank(b.raw.mode) > rank(a.raw.mode) ? b : a),
        undefined,
      );
    }
    case 'last':
      return matching.at(-1);
    case 'longest':
      return matching.reduce<Placed | undefined>(
        (a, b) => (a === undefined || length(b) > length(a) || (length(b) === length(a) && b.raw.mode === 'deny') ? b : a),
        undefined,
      );
    case 'strict':
      return matching.reduce<Placed | undefined>((a, b) => (a === undefined || rank(b.raw.mode) > rank(a.raw.mode) ? b : a), undefined);
  }
}

function length({ raw }: Placed): number {
  return raw.pattern === undefined || raw.pattern === '*' ? 0 : raw.pattern.length;
}

function applies(raw: RawRule, { action, target }: Question, situation: Situation): boolean {
  const of = raw.action ?? actionOf(raw.tool) ?? 'any';
  if (of === 'any') return raw.tool === '*' || raw.tool === '**';
  if (of !== action) return false;
  const pattern = raw.pattern ?? '*';
  if (pattern === '' || pattern === '*' || pattern === '**' || pattern === '.*')
    return action !== 'mcp' || raw.by !== undefined || coversMcp(raw.tool, target);
  // What is not understood may allow everything, and is not known to forbid anything.
  const isUnclear = raw.mode === 'allow';
  switch (action) {
    case 'shell':
      return matchesShell(raw.by, pattern, target) ?? isUnclear;
    case 'read':
    case 'write':
      return (raw.by === 'regex' ? matchesExpression(pattern, target) : coversFile(pattern, target, situation)) ?? isUnclear;
    case 'network':
      return raw.by === 'regex'
        ? (matchesExpression(pattern, target) ?? isUnclear)
        : matchesStars(pattern, target) || matchesHost(pattern, target, false);
    case 'mcp': {
      const { server, tool } = mcpTarget(target);
      const [wantedServer = '*', wantedTool = '*'] = pattern.split(/[:/]/, 2);
      return matchesStars(wantedServer, server) && (wantedTool === '*' || matchesStars(wantedTool, tool));
    }
  }
}

function coversMcp(rule: string, target: string): boolean {
  if (!/^(@|mcp__)/.test(rule)) return true;
  const wanted = mcpTarget(rule);
  const asked = mcpTarget(target);
  return matchesStars(wanted.server, asked.server) && (wanted.tool === '*' || matchesStars(wanted.tool, asked.tool));
}

function matchesShell(by: RawRule['by'], pattern: string, command: string): boolean | undefined {
  switch (by) {
    case 'regex':
      return matchesExpression(pattern, command);
    case 'prefix':
      return matchesStars(pattern, command) || startsWithWords(command, pattern.replace(/(?<!\s)\s*\*$/, ''));
    default: {
      const alternatives = /^\{.*\}$/s.test(pattern) ? pattern.slice(1, -1).split(',') : [pattern];
      return alternatives.some((one) => {
        const bare = one.trim().replace(/:\*$/, ' *');
        return matchesStars(bare, command) || startsWithWords(command, bare.replace(/\s\*$/, ''));
      });
    }
  }
}

function coversFile(pattern: string, target: string, situation: Situation): boolean | undefined {
  const file = absolute(target, situation);
  const relative = isInside(file, situation.workspace) ? file.slice(situation.workspace.length + 1) : file;
  const readings = [
    matchesRule(pattern, file, situation.workspace, situation),
    matchesGlob(pattern.replace(/^~(?=\/)/, situation.home), file),
    matchesGlob(pattern, relative),
  ];
  return readings.includes(true) || (readings.includes(undefined) ? undefined : false);
}
