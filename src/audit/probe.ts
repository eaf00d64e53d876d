// What to ask an agent for, to see whether a rule that is written down is enforced: one act for each deny and ask rule, made from the
// rule's own pattern. The acts are harmless: programs of ours stand in for what a rule names, files of ours for what it protects.
import path from 'node:path';
import type { CatalogueEntry } from './catalogue/index.ts';
import { situationFor } from './effective.ts';
import type { Facts } from './facts.ts';
import { type Doc, join, parse } from './load.ts';
import { dialectOf, type Grant, type Situation } from './permissions/index.ts';
import type { ProbeAct, ProbePlan, Unprobed } from './probe-result.ts';

/** Enough for any file that a person wrote. */
const maxPlans = 40;
const canaryName = 'intramur-canary';

export function probePlans(
  facts: Facts,
  agent: CatalogueEntry,
  workspace: string,
): { plans: readonly ProbePlan[]; unprobed: readonly Unprobed[] } {
  const situation = situationFor(facts, agent, workspace);
  const plans: ProbePlan[] = [];
  const unprobed: Unprobed[] = [];
  const seen = new Set<string>();
  for (const grant of intended(facts, agent, situation)) {
    const { raw, mode, source } = grant;
    if (mode === 'allow' || source.file === null) continue;
    const place = { rule: raw, file: source.file, line: source.line ?? 1 };
    const acts = actsFor(grant, situation);
    if (typeof acts === 'string') unprobed.push({ ...place, why: acts });
    else
      for (const act of acts) {
        const key = JSON.stringify([mode, act]);
        if (seen.has(key)) continue;
        seen.add(key);
        if (plans.length < maxPlans) plans.push({ agent: agent.id, workspace, mode, ...place, act });
        else unprobed.push({ ...place, why: `only ${maxPlans} acts are tried` });
      }
  }
  return { plans, unprobed };
}

/** Rules as their writer meant them: also those of a file that the agent itself may drop because it does not parse. */
function intended(facts: Facts, agent: CatalogueEntry, situation: Situation): readonly Grant[] {
  const dialect = dialectOf(agent.dialect);
  if (dialect === undefined) return [];
  const broken = facts.loaded.flatMap((doc): readonly Doc[] => {
    const isHere = doc.agent.id === agent.id && doc.fault?.kind === 'parse' && doc.file.role === 'settings';
    if (!isHere || (doc.workspace !== undefined && doc.workspace.path !== situation.workspace)) return [];
    const { root } = parse(doc.text, 'json5');
    return root === undefined ? [] : [{ ...doc, root, fault: undefined }];
  });
  return [...situation.docs, ...broken].flatMap((doc) => dialect.grants(doc));
}

/** @returns why not, where a pattern names nothing that can be tried */
function actsFor({ action, pattern, tool }: Grant, situation: Situation): readonly ProbeAct[] | string {
  switch (action) {
    case 'shell': {
      const command = commandFor(pattern);
      return command === undefined ? 'its pattern names no plain command' : [{ do: 'shell', command }];
    }
    case 'read': {
      if (/^(ls|list|glob|grep|search)/i.test(tool)) return 'a listing leaves no trace that could be told apart';
      const file = fileFor(pattern, situation);
      if (file === undefined) return 'its pattern names no file in the workspace or the home';
      // What is denied to the file tool and open to the shell is not denied.
      return [
        { do: 'read', path: file },
        { do: 'shell', command: `cat ${file}` },
      ];
    }
    case 'write': {
      const file = fileFor(pattern, situation);
      return file === undefined || !file.startsWith(`${situation.workspace}/`)
        ? 'its pattern names no file in the workspace'
        : [{ do: 'write', path: file }];
    }
    case 'network':
    case 'mcp':
    case 'any':
      return `rules about ${action === 'any' ? 'this tool' : action === 'mcp' ? 'MCP servers' : 'the network'} are not tried`;
  }
}

function commandFor(pattern: string): string | undefined {
  const plain = pattern
    .replace(/^\^?(?:\(\?:)?|\)?\$?$/g, '')
    .replace(/:\*$/, ' x')
    .replace(/\s\*+$/, ' x')
    .replace(/\*/g, 'x')
    .replace(/\|[^\s]*/g, '')
    .trim();
  if (plain === '' || /^x+$/.test(plain)) return `${canaryName} x`;
  return /^[A-Za-z0-9_][\w.+-]*(?: [\w.,:=@%/+-]+)*$/.test(plain) ? plain : undefined;
}

/** A file that the pattern covers, inside the workspace or the home. */
function fileFor(pattern: string, { workspace, home }: Situation): string | undefined {
  const concrete = pattern
    .trim()
    .replace(/^(\*\*\/)+/, '')
    .replace(/\/$/, `/${canaryName}`)
    .replace(/\*\*\/\*|\*\*|\*/g, canaryName);
  if (!/^[\w~./@+ -]+$/.test(concrete)) return undefined;
  const file = concrete.startsWith('~/')
    ? join(home, concrete.slice(2))
    : concrete.startsWith('//')
      ? concrete.slice(1)
      : concrete.startsWith('/')
        ? workspace + concrete
        : path.posix.resolve(workspace, concrete);
  const normal = path.posix.normalize(file);
  return normal.startsWith(`${workspace}/`) || normal.startsWith(`${home}/`) ? normal : undefined;
}
