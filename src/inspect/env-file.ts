// The secrets of a `.env` file, as its common readers take it. Most of what such a file holds is no secret: where a service listens, what
// it is called, whether it logs. Those values stand in every prompt about the project, so only what is one is kept.
import { isStandIn } from './detectors/connection.ts';
import { entropyOf } from './entropy.ts';
import type { KnownSecret } from './known-secrets.ts';

const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\n#]*))/gm;

/** `NAME=value`, quotes and `export` taken off. A quoted value may have several lines. */
export function secretsOfEnvFile(text: string, file: string): KnownSecret[] {
  return [...text.matchAll(ASSIGNMENT)].flatMap(([, name = '', double, single, bare]) => {
    const value = (double ?? single ?? bare ?? '').trim();
    if (!isSecret(name, value)) return [];
    const known = { name: `${file}:${name}`, value };
    // Between double quotes escapes are read, so what a program holds differs from what stands in the file.
    const meant = value.replace(/\\n/g, '\n').replace(/\\(["\\$])/g, '$1');
    return double === undefined || meant === value ? [known] : [known, { ...known, value: meant }];
  });
}

const SECRET_NAME =
  /(?:^|_)(?:\w*(?:secret|passw(?:or)?d|passphrase|token|credentials?)\w*|\w*keys?|pass|pwd|pin|auth|salt|pepper|dsn|signature|cookie|jwt|bearer|pat)(?:_|$)/i;
const PUBLIC_NAME =
  /(?:^|_)(?:public|publishable|site_?key|key_?id|key_?name|key_?path|key_?file|token_?url|auth_?url|auth_?domain|expir\w*|ttl)(?:_|$)/i;
/** Words, paths, host names, versions and numbers stand in any text. */
const ORDINARY = /^(?:[A-Za-z]+|\d+(?:\.\d+)*[a-z]{0,2}|true|false|[\w.~-]*\/[\w./~-]*|[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+(?::\d+)?)$/i;
const LEAST_RANDOM = 20;

function isSecret(name: string, value: string): boolean {
  if (value.length < 8 || isStandIn(value) || /^\$[{(\w]/.test(value)) return false;
  // A password within an address is one whatever the variable is called.
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(value)) return /^[^/]+\/\/[^/\s:@]*:[^/\s@]{3,}@/.test(value);
  if (PUBLIC_NAME.test(name)) return false;
  if (SECRET_NAME.test(name)) return !ORDINARY.test(value) || (value.length >= LEAST_RANDOM && entropyOf(value) > 3.5);
  return (
    value.length >= LEAST_RANDOM &&
    !/\s/.test(value) &&
    !ORDINARY.test(value) &&
    /\d/.test(value) &&
    /[A-Za-z]/.test(value) &&
    entropyOf(value) > 3.5
  );
}
