// What the rules look at: the audit's own picture of the machine, gathered once. Rules read no files themselves.
import type { Config, Register } from '../config/index.ts';
import type { Brought } from './brought.ts';
import type { Confidence, Meaning, Switch } from './catalogue/index.ts';
import type { FoundAgent } from './discover.ts';
import type { Extra } from './extras.ts';
import type { Hook } from './hooks.ts';
import type { Doc } from './load.ts';
import type { McpServer } from './mcp.ts';
import type { Grant } from './permissions/grant.ts';
import type { LookedAt } from './places.ts';
import type { Probed } from './probe-result.ts';
import { allAt } from './read/node.ts';
import type { Tree } from './read/tree.ts';
import type { Walk } from './scan.ts';

/** A setting with a meaning. */
export interface Signal {
  readonly doc: Doc;
  readonly means: Meaning;
  readonly key: string;
  readonly value: string;
  readonly line: number;
  readonly confidence: Confidence;
}

export interface Listener {
  readonly port: number;
  readonly address: string;
  readonly agent: string;
}

export interface Drifted {
  readonly file: string;
  /** `changed since alice looked at it on 2026-01-02`. */
  readonly says: string;
}

export type Tools = Config['tools'];

export interface Facts {
  readonly tree: Tree;
  readonly homes: readonly string[];
  readonly lookedAt: readonly LookedAt[];
  /** uid of each home's owner. */
  readonly owners: ReadonlyMap<string, number>;
  readonly walk: Walk;
  /** Files as they count for the agents that are here. */
  readonly docs: readonly Doc[];
  /** All that was read, for every agent that could read it. */
  readonly loaded: readonly Doc[];
  readonly agents: readonly FoundAgent[];
  readonly present: ReadonlySet<string>;
  readonly servers: readonly McpServer[];
  readonly signals: readonly Signal[];
  readonly grants: readonly Grant[];
  readonly hooks: readonly Hook[];
  readonly brought: readonly Brought[];
  /** What is not as it was when somebody pinned it. */
  readonly drifted: readonly Drifted[];
  readonly extras: readonly Extra[];
  readonly listeners: readonly Listener[];
  /** The organisation's register of tools. */
  readonly tools: Tools;
  /** What `agents ban|vet|pin` said. */
  readonly register: Register;
  /** Jurisdictions that the organisation forbids. */
  readonly forbiddenJurisdictions: readonly string[];
  /** File -> SHA-256 of what was looked at, from a baseline. */
  readonly pins: ReadonlyMap<string, string>;
  /** What agents really did when they were asked; `undefined` without `--probe`. */
  readonly probed: Probed | undefined;
  readonly classify: (workspace: string) => string | undefined;
}

export function signalsIn(docs: readonly Doc[]): readonly Signal[] {
  const signals: Signal[] = [];
  for (const doc of docs) {
    if (doc.root === undefined) continue;
    for (const rule of doc.agent.switches) {
      if (rule.file !== undefined && !doc.path.endsWith(rule.file)) continue;
      if (rule.scopes !== undefined && !rule.scopes.includes(doc.scope)) continue;
      for (const { node, line, keys } of allAt(doc.root, rule.key)) {
        const value = node.kind === 'scalar' ? node.value : node.kind === 'table' && rule.when === 'set' ? (keys.at(-1) ?? '') : undefined;
        if (value === undefined || value === null || !holds(rule, value)) continue;
        signals.push({
          doc,
          means: rule.means,
          key: keys.join('.'),
          value: String(value),
          line,
          confidence: rule.confidence ?? doc.agent.confidence,
        });
      }
    }
  }
  return signals;
}

function holds({ when }: Switch, value: string | number | boolean): boolean {
  if (when === 'set') return value !== '' && value !== false;
  if (when instanceof RegExp) return when.test(String(value));
  return when.some(
    (one) => one === value || (typeof one === 'string' && typeof value === 'string' && one.toLowerCase() === value.toLowerCase()),
  );
}
