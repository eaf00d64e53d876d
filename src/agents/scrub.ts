// Takes secrets out of a user's own settings before they go into a sandbox. Errs on the side of removing: a setting that is
// missing inside is a nuisance, a secret inside is a leak.
import { type ParseError, parse as parseJsonc } from 'jsonc-parser';

/** Keys whose string values are secrets. Names of variables that hold one (`env_key`, `bearer_token_env_var`) are not. */
const secretKey = /(api[-_]?key|apikey|token|secret|passw|passphrase|credential|authorization|cookie|private[-_]?key|client[-_]?id|oauth)/i;
const namesVariable = /(env[-_]?key|envkey|env[-_]?var|env_http_headers)$/i;
/** Commands that print a credential: nothing they could print may come in. */
const helperKey = /^(apiKeyHelper|proxyAuthHelper|awsAuthRefresh|awsCredentialExport|gcpAuthRefresh|otelHeadersHelper|policyHelper)$/;
const reference = /^(\$\{?[A-Za-z_]\w*\}?|\{env:\w+\}|env:\w+|Bearer \$\{?\w+\}?)$/;
const knownShape =
  /(\bsk-[A-Za-z0-9_-]{16,}|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\bxox[a-z]-[\w-]{10,}|\b(AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{30,}|\beyJ[\w-]{8,}\.[\w-]{8,}|\bya29\.[\w-]{20,}|\bnpm_[A-Za-z0-9]{30,}|\bhf_[A-Za-z0-9]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY|:\/\/[^/\s:@]*:[^/\s@]+@|[?&](key|token|api_key|access_token|sig)=)/i;
const longRun = /[A-Za-z0-9_+=.-]{28,}/g;

/** True for text that looks random: long, mixed letters and digits, many different characters. */
function looksRandom(text: string): boolean {
  for (const [run] of text.matchAll(longRun)) {
    const digits = run.replace(/\D/g, '').length;
    if (digits < 4 || digits === run.length) continue;
    const counts = new Map<string, number>();
    for (const char of run) counts.set(char, (counts.get(char) ?? 0) + 1);
    let bits = 0;
    for (const count of counts.values()) bits -= (count / run.length) * Math.log2(count / run.length);
    if (bits > 3.3) return true;
  }
  return false;
}

export function looksSecret(text: string): boolean {
  return knownShape.test(text) || looksRandom(text);
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonTable = { readonly [key: string]: Json };

/** `replace` gives the placeholder of a known secret; what only looks like a secret is removed. */
export function withoutSecrets(value: Json, replace: (secret: string) => string | undefined): Json {
  return scrub(value, '', false, replace, 0) ?? null;
}

function scrub(
  value: Json,
  key: string,
  inVariables: boolean,
  replace: (secret: string) => string | undefined,
  depth: number,
): Json | undefined {
  if (depth > 40) return undefined;
  if (typeof value === 'string') {
    const placeholder = replace(value);
    if (placeholder !== undefined) return placeholder;
    if (reference.test(value) || (namesVariable.test(key) && /^\w{1,64}$/.test(value) && !looksSecret(value))) return value;
    if (helperKey.test(key) || secretKey.test(key) || looksSecret(value)) return undefined;
    // What stands in a table of variables or headers is a secret more often than not once it is long and has no spaces.
    return inVariables && value.length >= 16 && /\d/.test(value) && /^[^\s/]+$/.test(value) ? undefined : value;
  }
  if (isList(value)) {
    const kept: Json[] = [];
    for (const [at, item] of value.entries()) {
      // `--api-key VALUE` as two arguments: the flag names the secret.
      const before = value[at - 1];
      const flag = typeof before === 'string' && /^-/.test(before) ? before : key;
      const clean = scrub(item, flag, inVariables, replace, depth + 1);
      if (clean !== undefined) kept.push(clean);
    }
    return kept;
  }
  if (value !== null && typeof value === 'object') {
    const kept: Record<string, Json> = Object.create(null);
    const variables = inVariables || /^(env|headers|http_headers|environment|set)$/i.test(key);
    for (const [name, item] of Object.entries(value)) {
      if (looksSecret(name) || name === '__proto__') continue;
      const clean = scrub(item, name, variables, replace, depth + 1);
      if (clean !== undefined) kept[name] = clean;
    }
    return kept;
  }
  return value;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

export function isTable(value: unknown): value is JsonTable {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** The table at a key path; an empty one when anything on the way is something else. */
export function tableAt(value: Json | undefined, ...keys: readonly string[]): JsonTable {
  let here: Json | undefined = value;
  for (const key of keys) here = isTable(here) && Object.hasOwn(here, key) ? here[key] : undefined;
  return isTable(here) ? here : {};
}

export function stringAt(table: JsonTable, key: string): string | undefined {
  const value = Object.hasOwn(table, key) ? table[key] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** JSON with comments, trailing commas and a byte order mark; an empty table when it does not parse: the agent then runs on its defaults. */
export function parseTable(text: string | undefined): JsonTable {
  if (text === undefined) return {};
  const errors: ParseError[] = [];
  const value: unknown = parseJsonc(text.replace(/^\uFEFF/, ''), errors, { allowTrailingComma: true });
  return errors.length === 0 && isJson(value, 0) && isTable(value) ? value : {};
}

export function isJson(value: unknown, depth: number): value is Json {
  if (depth > 60) return false;
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return true;
  if (Array.isArray(value)) return value.every((item) => isJson(item, depth + 1));
  return typeof value === 'object' && Object.values(value).every((item) => isJson(item, depth + 1));
}

/** Host name of a base URL, lower case; `undefined` when it is not an http(s) URL. */
export function hostOf(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || protocol === 'http:' ? hostname.toLowerCase() : undefined;
}

/** Path of a base URL as a prefix for requests, `/` when there is none. */
export function pathOf(url: string | undefined): string {
  return url !== undefined && URL.canParse(url) ? new URL(url).pathname : '/';
}
