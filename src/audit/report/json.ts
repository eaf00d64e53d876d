// The report as data: `intramur/audit/1`, the form that docs/schemas/audit.json publishes.
import { vettingOf } from '../../config/index.ts';
import type { Audit } from '../audit.ts';
import { commandLine, type McpServer, shownUrl } from '../mcp.ts';
import type { Mode, Source } from '../permissions/grant.ts';
import type { Pin } from '../pins.ts';
import type { Probed } from '../probe-result.ts';
import { display } from '../read/display.ts';
import { secretIn } from '../read/secret.ts';
import type { Finding } from '../rules/run-rules.ts';

export interface AuditReport {
  readonly schema: 'intramur/audit/1';
  readonly scanned: {
    readonly files: number;
    readonly dirs: number;
    readonly ms: number;
    /** `whole`: with everything below; otherwise what agents read in that directory itself. */
    readonly places: readonly { readonly path: string; readonly whole: boolean }[];
  };
  readonly agents: readonly {
    readonly id: string;
    readonly name: string;
    readonly vendor: string;
    readonly jurisdiction: string;
    readonly version: string | null;
    readonly path: string;
    readonly sha256: string | null;
    readonly status: 'vetted' | 'unvetted' | 'banned';
    readonly presence: string;
    readonly confidence: string;
    readonly ageDays: number | null;
  }[];
  readonly mcpServers: readonly {
    readonly name: string;
    readonly agent: string;
    readonly transport: string;
    readonly command: string | null;
    readonly url: string | null;
    readonly pinned: boolean | null;
    readonly source: { readonly file: string; readonly line: number };
  }[];
  readonly effective: readonly EffectiveRow[];
  readonly summary: readonly SummaryRow[];
  readonly findings: readonly Finding[];
  /** What agents really did with `--probe`; `null` without it. */
  readonly probed: Probed | null;
  /** What a later audit with this report as its baseline compares. */
  readonly pins: readonly Pin[];
}

export interface EffectiveRow {
  readonly agent: string;
  readonly workspace: string;
  readonly action: string;
  readonly target: string;
  readonly mode: Mode;
  readonly source: Source;
}

export interface SummaryRow {
  readonly agent: string;
  readonly workspace: string;
  readonly write: string;
  readonly shell: string;
  readonly network: string;
  readonly secrets: string;
  readonly modelHost: string;
  readonly unattended: boolean;
}

export function jsonReport(audit: Audit, now: number): AuditReport {
  const { facts, findings, ms } = audit;
  return {
    schema: 'intramur/audit/1',
    scanned: {
      files: facts.walk.files + new Set(facts.loaded.map(({ path }) => path)).size,
      dirs: facts.walk.dirs,
      ms,
      places: facts.lookedAt.map(({ path, isWhole }) => ({ path: display(path), whole: isWhole })),
    },
    agents: facts.agents.map((found) => ({
      id: found.entry.id,
      name: found.entry.name,
      vendor: found.entry.vendor,
      jurisdiction: found.entry.jurisdiction,
      version: found.version ?? null,
      path: display(found.path),
      sha256: found.sha256 ?? null,
      status: vettingOf(facts, { id: found.entry.id, version: found.version, sha256: found.sha256 }, facts.register),
      presence: found.presence,
      confidence: found.confidence,
      ageDays: found.modifiedMs === undefined ? null : Math.max(0, Math.floor((now - found.modifiedMs) / 86_400_000)),
    })),
    mcpServers: facts.servers.map(shownServer),
    effective: audit.effective,
    summary: audit.summary,
    findings,
    probed: facts.probed === undefined ? null : shownProbed(facts.probed),
    pins: audit.pins.map(({ file, ...pin }) => ({ file: display(file), ...pin })),
  };
}

function shownProbed({ results, unprobed, silent }: Probed): Probed {
  return {
    results: results.map((one) => ({ ...one, rule: display(one.rule), file: display(one.file), evidence: display(one.evidence) })),
    unprobed: unprobed.map((one) => ({ ...one, rule: display(one.rule), file: display(one.file) })),
    silent,
  };
}

function shownServer(server: McpServer): AuditReport['mcpServers'][number] {
  const command = commandLine(server, (text) => secretIn('', text) !== undefined);
  return {
    name: display(server.name),
    agent: server.agent,
    transport: server.transport,
    command: command === null ? null : display(command),
    url: server.url === undefined ? null : display(shownUrl(server.url.value)),
    pinned: server.pinned ?? null,
    source: { file: display(server.doc.path), line: server.line },
  };
}
