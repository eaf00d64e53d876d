// What the adapters share about logins whose tokens expire: the credentials that stand in an agent's own file, and what may be inside of
// an identity token.
import type { KeyPath, LoginFlow } from '../core/index.ts';
import type { Credential, UserView } from './adapter.ts';
import { type Json, type JsonTable, parseTable, stringAt, tableAt } from './scrub.ts';

export function stringIn(table: JsonTable, path: KeyPath): string | undefined {
  const key = path.at(-1);
  return key === undefined ? undefined : stringAt(tableAt(table, ...path.slice(0, -1)), key);
}

/** Ids of the placeholders that stand for a login's tokens. */
export function tokenIds({ id }: LoginFlow): { readonly access: string; readonly refresh: string } {
  return { access: `${id}:access`, refresh: `${id}:refresh` };
}

/** The access token, and with it the refresh token; a refresh token alone is left outside. */
export function loginCredentials(flow: LoginFlow, user: UserView): readonly Credential[] {
  const { path: file, ...paths } = flow.file;
  const table = parseTable(user.readHome(file));
  const access = stringIn(table, paths.access);
  if (access === undefined) return [];
  const refresh = stringIn(table, paths.refresh);
  const ids = tokenIds(flow);
  const credential: Credential = { id: ids.access, value: access, ...flow.access, login: { flow, kind: 'access', file } };
  if (refresh === undefined) return [credential];
  return [
    credential,
    {
      id: ids.refresh,
      value: refresh,
      hosts: flow.token.hosts,
      pathPrefix: flow.token.path,
      prefix: flow.refreshPrefix,
      login: { flow, kind: 'refresh', file },
    },
  ];
}

/** An identity token without a valid signature and without name or address: the agent reads its plan and account from it, nobody accepts it. */
export function withoutIdentity(flow: LoginFlow, token: string | undefined): string {
  const part = token?.split('.')[1];
  const claims = part === undefined ? {} : parseTable(Buffer.from(part, 'base64url').toString('utf8'));
  const kept: Record<string, Json> = {};
  const { namespace = '', claims: names = [] } = flow.identity ?? {};
  const own = tableAt(claims, namespace);
  for (const name of names) {
    const value = Object.hasOwn(own, name) ? own[name] : undefined;
    if (typeof value === 'string' && /^[\w.-]{1,100}$/.test(value)) kept[name] = value;
  }
  const encode = (value: Json): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return [encode({ alg: 'none', typ: 'JWT' }), encode({ exp: 4070908800, ...(namespace ? { [namespace]: kept } : {}) }), 'none'].join('.');
}
