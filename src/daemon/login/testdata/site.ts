// Test kit: an agent with a login that expires, and the vendor's token endpoint, rehearsed.
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { adapters } from '../../../agents/index.ts';
import { defaultConfig } from '../../../config/index.ts';
import type { ExchangeHead, ExchangeReply, Principal } from '../../../core/index.ts';
import { createVault } from '../../../gateway/index.ts';
import { loadPolicies } from '../../../policy/index.ts';
import { createFakeTokenEndpoint, type FakeTokenEndpoint } from '../../../testing/index.ts';
import { noSecrets } from '../../known-secrets.ts';
import { type Session, Sessions } from '../../session.ts';
import { createLogins } from '../logins.ts';

const engine = await loadPolicies({ packs: [], packsDir: '', dirs: [] });
const user = (agent: string, id: string): Principal => ({
  ...{ session: id, user: 'u', agent, vetting: 'unvetted', purpose: 'research' },
  ...{ classification: 'internal', workspace: '/w', via: 'sandbox' },
});

export interface Site {
  readonly clientId: string;
  readonly endpoint: FakeTokenEndpoint;
  readonly file: string;
  /** What the vendor was sent. */
  readonly sent: { readonly host: string; readonly path: string; readonly headers: readonly string[]; readonly body: string }[];
  /** What the vendor says about an access token. */
  info: { readonly status: number; readonly body: string };
  /** Everything that went inside. */
  readonly inside: string[];
  clock: number;
  open(id: string): { session: Session; placeholders: Readonly<Record<string, string>> };
  ask(
    session: Session,
    fields: Record<string, string>,
    change?: Partial<ExchangeHead>,
  ): Promise<{ status: number; fields: Record<string, unknown> } | string>;
  restored(session: Session, placeholder: string): string;
  stored(): Record<string, unknown>;
}

/** An agent whose login file lies in `dir`. */
export function siteIn(dir: string, agent = 'codex', expiresIn: number | undefined = 3600): Site {
  const adapter = adapters.find(({ id }) => id === agent);
  const [flow] = adapter?.logins ?? [];
  if (!adapter || !flow) throw new Error('no login');
  const endpoint = createFakeTokenEndpoint(agent, expiresIn);
  const file = path.join(dir, path.basename(flow.file.path));
  const write = (keys: readonly string[], value: unknown, table: Record<string, unknown>): void => {
    const [key = '', ...rest] = keys;
    if (rest.length === 0) table[key] = value;
    else write(rest, value, (table[key] ??= {}) as Record<string, unknown>);
  };
  const first: Record<string, unknown> = { kept: 'as it was' };
  write(flow.file.access, endpoint.current.access, first);
  write(flow.file.refresh, endpoint.current.refresh, first);
  fs.writeFileSync(file, JSON.stringify(first), { mode: 0o640 });

  const vault = createVault();
  const sessions = new Sessions();
  const sent: Site['sent'] = [];
  const inside: string[] = [];
  const info = { scope: 'email', expires_in: '3599', email: `REAL-email-${agent}@example.com`, sub: 'REAL-sub' };
  const site = { clock: Date.parse('2026-01-01T00:00:00Z'), info: { status: 200, body: JSON.stringify(info) } };
  const logins = createLogins({
    vault,
    now: () => new Date(site.clock),
    gateway: {
      async ask({ host, path: where, headers, body }) {
        sent.push({ host, path: where, headers, body: Buffer.from(body).toString() });
        await new Promise((resolve) => setTimeout(resolve, 5));
        const answer = where === flow.token.infoPath ? { ...site.info, headers: {} } : endpoint.answer(Buffer.from(body).toString());
        const bytes = Buffer.from(answer.body);
        return {
          status: answer.status,
          rawHeaders: Object.entries(answer.headers).flat(),
          bytes: bytes.length > 65_536 ? undefined : bytes,
        };
      },
    },
  });
  const textOf = ({ body }: ExchangeReply): string => (body instanceof Uint8Array ? Buffer.from(body).toString() : '');
  return Object.assign(site, {
    clientId: flow.client.id,
    endpoint,
    file,
    sent,
    inside,
    open(id: string) {
      const readHome = (name: string): string | undefined => (name === flow.file.path ? fs.readFileSync(file, 'utf8') : undefined);
      const credentials = adapter.credentials({ env: {}, readHome });
      const placeholders = vault.issue(
        id,
        credentials.map((one) => ({ ...one, ...(one.login ? { login: { ...one.login, file } } : {}) })),
      );
      const secrets = Promise.resolve(noSecrets);
      const fields = {
        id,
        principal: user(agent, id),
        config: defaultConfig,
        engine,
        grants: [],
        program: '/x',
        startedAt: new Date(),
        secrets,
      };
      return { session: sessions.add(fields), placeholders };
    },
    async ask(session: Session, fields: Record<string, string>, change: Partial<ExchangeHead> = {}) {
      const [host = ''] = flow.token.hosts;
      const type = flow.token.form === 'json' ? 'application/json' : 'application/x-www-form-urlencoded';
      const head: ExchangeHead = {
        ...{
          scheme: 'https',
          host,
          port: 443,
          isDirect: false,
          via: 'transparent',
          method: 'POST',
          target: flow.token.path,
          httpVersion: '1.1',
        },
        rawHeaders: ['content-type', type],
        ...change,
      };
      const body = Buffer.from(flow.token.form === 'json' ? JSON.stringify(fields) : new URLSearchParams(fields).toString());
      const asked = logins.read(session, head, body);
      if (asked === undefined) return vault.isMisusedIn(body, head.host, session.id) ? 'misused' : 'ordinary';
      if ('refused' in asked) return `refused: ${asked.refused}`;
      const { reply } = 'renewal' in asked ? await logins.renew(session, asked.renewal) : await logins.inquire(asked.question);
      inside.push(JSON.stringify(reply.rawHeaders), textOf(reply));
      return { status: reply.status, fields: JSON.parse(textOf(reply)) as Record<string, unknown> };
    },
    restored(session: Session, placeholder: string) {
      const [host = ''] = flow.access.hosts;
      const target = flow.access.pathPrefix;
      return vault.restore(['authorization', `Bearer ${placeholder}`], { scheme: 'https', host, target }, session.id).rawHeaders[1] ?? '';
    },
    stored: () => JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>,
  });
}

export function renewal(site: Site, placeholder: string | undefined): Record<string, string> {
  return { grant_type: 'refresh_token', refresh_token: placeholder ?? '', client_id: site.clientId };
}

export function expectNothingReal({ endpoint, inside }: Site): void {
  const all = inside.join('\n');
  for (const token of endpoint.real) expect(all).not.toContain(token);
  expect(all).not.toContain('REAL');
}
