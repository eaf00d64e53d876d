// The agents we have an adapter for, and the questions that are asked over all of them.
import type { EgressClass, LoginFlow } from '../core/index.ts';
import type { Adapter, Endpoint } from './adapter.ts';
import { claudeCode } from './claude-code.ts';
import { codex } from './codex.ts';
import { geminiCli } from './gemini-cli.ts';
import { agentOf } from './names.ts';
import { opencode } from './opencode.ts';
import { qwenCode } from './qwen-code.ts';

export const adapters: readonly Adapter[] = [claudeCode, codex, qwenCode, opencode, geminiCli];

/** The adapter of a program, by its path. */
export function adapterFor(programPath: string): Adapter | undefined {
  const id = agentOf(programPath);
  return id === undefined ? undefined : adapters.find((adapter) => adapter.id === id);
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

/** Does an agent find models at this host, whatever the path? */
export function knownForModels(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  const endpoints = exact.get(name) ?? suffixes.find(({ suffix }) => name.endsWith(suffix))?.endpoints;
  return endpoints?.some((endpoint) => endpoint.class === 'model') ?? false;
}

export interface LoginPlace {
  readonly flow: LoginFlow;
  readonly brings: 'tokens' | 'key';
}

/**
 * The login whose tokens, or whose key, this place hands out; two agents may use one vendor's. INVARIANT: every spelling that a server may
 * take for the path counts, because what comes from there must not come inside as it is.
 * @param agent the one that asks, preferred where several know the place
 */
export function loginAt(host: string, requestPath: string, agent: string): LoginPlace | undefined {
  const name = host.toLowerCase().replace(/\.$/, '');
  const asked = plainest(requestPath);
  const isAt = (place: { readonly hosts: readonly string[]; readonly path: string } | undefined): boolean =>
    place !== undefined && place.hosts.includes(name) && plainest(place.path) === asked;
  const here = adapters.flatMap(({ id, logins }) =>
    logins.flatMap((flow): readonly (LoginPlace & { readonly id: string })[] => {
      if (isAt(flow.token)) return [{ id, flow, brings: 'tokens' }];
      return isAt(flow.key) ? [{ id, flow, brings: 'key' }] : [];
    }),
  );
  const found = here.find(({ id }) => id === agent) ?? here[0];
  return found && { flow: found.flow, brings: found.brings };
}

/** Escapes inside escapes that some server may undo. */
const mostEscapes = 4;

/** What is left of a path when everything is undone that servers undo: escapes, backslashes, dots, parameters, doubled slashes, case. */
function plainest(requestPath: string): string {
  let path = requestPath;
  for (let i = 0; i < mostEscapes && path.includes('%'); i++)
    path = path.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  const segments: string[] = [];
  for (const segment of path.replaceAll('\\', '/').split('/')) {
    const name = segment.replace(/[;?#\0].*$/s, '').trim();
    if (name === '..') segments.pop();
    else if (name !== '' && name !== '.') segments.push(name.toLowerCase());
  }
  return segments.join('/');
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
