// The agents we have an adapter for, and the questions that are asked over all of them. A program is recognised by the name it is
// started under, or, for a script run by an interpreter, by the npm package that it belongs to.
import fs from 'node:fs';
import path from 'node:path';
import type { EgressClass, LoginFlow } from '../core/index.ts';
import type { Adapter, Endpoint } from './adapter.ts';
import { claudeCode } from './claude-code.ts';
import { codex } from './codex.ts';
import { geminiCli } from './gemini-cli.ts';
import { opencode } from './opencode.ts';
import { qwenCode } from './qwen-code.ts';

export const adapters: readonly Adapter[] = [claudeCode, codex, qwenCode, opencode, geminiCli];

const extension = /\.(exe|cmd|bat|ps1|js|mjs|cjs)$/i;

/** The adapter of a program: `claude`, `/usr/bin/codex`, `…/node_modules/@google/gemini-cli/bundle/gemini.js`, or a link to one of these. */
export function adapterFor(programPath: string): Adapter | undefined {
  const real = realPath(programPath);
  const candidates = real === programPath ? [programPath] : [programPath, real];
  for (const candidate of candidates) {
    const found = byPackage(candidate) ?? byBinary(candidate);
    if (found !== undefined) return found;
  }
  return undefined;
}

function byBinary(program: string): Adapter | undefined {
  const name = path.basename(program).replace(extension, '');
  return adapters.find((adapter) => adapter.binaries.includes(name));
}

function byPackage(program: string): Adapter | undefined {
  const unified = program.replaceAll('\\', '/');
  return adapters.find((adapter) => adapter.npm.some((name) => unified.includes(`/node_modules/${name}/`)));
}

function realPath(program: string): string {
  if (!path.isAbsolute(program)) return program;
  try {
    return fs.realpathSync(program);
  } catch {
    return program; // Missing: the launcher says so.
  }
}

/** Host tables, built once: exact names and `.suffix` names apart, longest path first. */
const exact = new Map<string, readonly Endpoint[]>();
const suffixes: { readonly suffix: string; readonly endpoints: readonly Endpoint[] }[] = [];
for (const endpoint of adapters.flatMap((adapter) => adapter.endpoints)) {
  exact.set(
    endpoint.host,
    [...(exact.get(endpoint.host) ?? []), endpoint].sort((a, b) => (b.path?.length ?? 0) - (a.path?.length ?? 0)),
  );
}
for (const [host, endpoints] of exact) if (host.startsWith('.')) suffixes.push({ suffix: host, endpoints });
suffixes.sort((a, b) => b.suffix.length - a.suffix.length);

/**
 * What a known agent uses this place for; `undefined` when no adapter knows it.
 * @param requestPath path without the query, as sent. INVARIANT: a path that could be read in two ways (dots, escapes, backslashes)
 *   never gets the class `model`, because that class is the one that is open.
 */
export function endpointClass(host: string, requestPath: string): EgressClass | undefined {
  const name = host.toLowerCase().replace(/\.$/, '');
  const endpoints = exact.get(name) ?? suffixes.find(({ suffix }) => name.endsWith(suffix))?.endpoints;
  if (endpoints === undefined) return undefined;
  const plain = requestPath.split('?', 1)[0] ?? '/';
  const found = endpoints.find((endpoint) => endpoint.path === undefined || isBelow(plain, endpoint.path))?.class;
  return found === 'model' && isAmbiguous(plain) ? 'other' : found;
}

/**
 * The login whose tokens this place hands out; two agents may use one vendor's.
 * @param agent the one that asks, preferred where several know the place
 */
export function loginAt(host: string, requestPath: string, agent: string): LoginFlow | undefined {
  const name = host.toLowerCase().replace(/\.$/, '');
  const known = adapters.flatMap(({ id, logins }) => logins.map((flow) => ({ id, flow })));
  const here = known.filter(({ flow: { token } }) => token.hosts.includes(name) && token.path === requestPath);
  return (here.find(({ id }) => id === agent) ?? here[0])?.flow;
}

/** Whole segments: `/v1/messages` covers `/v1/messages/batches` and not `/v1/messagesX`; a `:` ends a segment too (`models:generate`). */
function isBelow(requestPath: string, prefix: string): boolean {
  if (!requestPath.startsWith(prefix)) return false;
  const next = requestPath[prefix.length];
  return next === undefined || next === '/' || next === ':' || prefix.endsWith('/');
}

function isAmbiguous(requestPath: string): boolean {
  return /(^|\/)\.{1,2}(\/|$)|\\|\/\/|%2e|%2f|%5c|%00/i.test(requestPath);
}
