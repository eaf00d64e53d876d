// What the gateway's tests stand on: a gateway between a client with a key and scripted upstreams, with a monitor that allows what
// a test says and a ledger that is a list.
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { type Config, defaultConfig, type ProviderConfig } from '../config/index.ts';
import { type Body, type Decision, deny, type EntryBody, type Request, type Target } from '../core/index.ts';
import type { MonitorDeps } from '../monitor/index.ts';
import { createClientServer } from './client-server.ts';
import { createGateway, type Gateway, type GatewayOptions } from './gateway.ts';
import { createKeyring, type Keyring } from './keyring.ts';
import { createVault, type Vault } from './vault.ts';

export const testKey = 'sk-test-0000000000000000000000';

export interface Rig {
  readonly url: string;
  readonly gateway: Gateway;
  readonly keyring: Keyring;
  readonly vault: Vault;
  readonly keyFile: string;
  readonly ledger: EntryBody[];
  /** Requests that the monitor saw, with their bodies. */
  readonly judged: { readonly request: Request; readonly body: Body }[];
  readonly faults: unknown[];
  close(): Promise<void>;
}

export interface RigOptions {
  readonly config?: Partial<Config>;
  readonly limits?: GatewayOptions['limits'];
  readonly env?: Readonly<Record<string, string>>;
  readonly now?: () => Date;
  readonly decide?: (request: Request, body: Body) => Decision | Promise<Decision>;
  readonly append?: () => Promise<void>;
  /** Instead of `decide`: the monitor itself, over this ledger. */
  readonly mediate?: (request: Request, body: Body, append: MonitorDeps['append']) => ReturnType<GatewayOptions['mediate']>;
}

export function provider(fields: Partial<ProviderConfig> & Pick<ProviderConfig, 'id' | 'url'>): ProviderConfig {
  const perimeter = fields.perimeter ?? 'onprem';
  return {
    dialect: 'openai-chat',
    perimeter,
    vetted: perimeter !== 'public',
    key: undefined,
    timeoutMs: 5000,
    credential: 'provider',
    ...fields,
  };
}

export function allow(targets: readonly Target[]): Decision {
  const [first, ...others] = targets;
  return first
    ? { effect: 'allow', route: { kind: 'targets', targets: [first, ...others] }, policies: ['test.allow'] }
    : deny('no target', ['test.none']);
}

export async function startRig(options: RigOptions): Promise<Rig> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'gateway-'));
  const keyFile = path.join(dir, 'keys.json');
  const now = options.now ?? (() => new Date());
  const config: Config = {
    ...defaultConfig,
    keys: [{ id: 'ide', sha256: crypto.hash('sha256', testKey, 'hex'), user: 'alice', tool: 'qwen-code' }],
    ...options.config,
  };
  const ledger: EntryBody[] = [];
  const judged: Rig['judged'] = [];
  const faults: unknown[] = [];
  const vault = createVault();
  const record = async (entry: EntryBody): Promise<{ index: number }> => {
    await options.append?.();
    return { index: ledger.push(entry) - 1 };
  };
  const gateway = await createGateway({
    config,
    vault,
    env: options.env ?? {},
    now,
    limits: { connectMs: 2000, idleMs: 1000, ...options.limits },
    async mediate(request, body) {
      judged.push({ request, body });
      if (options.mediate) return options.mediate(request, body, record);
      const asked = request.act.action === 'llm.invoke' ? request.act.targets : [];
      const decision = await (options.decide ?? (() => allow(asked)))(request, body);
      return { decision, entry: await record(entryOf(request, decision)) };
    },
    async recordRefusal(request, reason) {
      const decision = deny(reason);
      return { decision, entry: await record(entryOf(request, decision)) };
    },
    async recordOutcome(of, body) {
      await record({ action: 'llm.invoke', ...body, outcomeOf: of });
    },
    onFault: (fault) => faults.push(fault),
  });
  const keyring = createKeyring({ config, file: keyFile, now });
  const server = createClientServer({ gateway, keyring, onFault: (fault) => faults.push(fault), headersMs: 300, lingerMs: 300 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    gateway,
    keyring,
    vault,
    keyFile,
    ledger,
    judged,
    faults,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      keyring.close();
      await gateway.close();
      fs.rmSync(dir, { recursive: true, force: true });
    },
  };
}

function entryOf({ principal, act }: Request, decision: Decision): EntryBody {
  return {
    action: act.action,
    session: principal.session,
    decision: decision.effect,
    ...(decision.effect === 'deny' ? { reason: decision.reason.text } : {}),
  };
}

export interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** False when the connection broke off before the end of the message. */
  readonly isWhole: boolean;
}

/** One request by Node's own client; no pooling, nothing followed, nothing retried. */
export function ask(
  url: string,
  { method = 'POST', headers = {}, body }: { method?: string; headers?: http.OutgoingHttpHeaders; body?: string | Uint8Array } = {},
): Promise<Told> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => {});
      response.on('close', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
          isWhole: response.complete,
        }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

export const bearer = { authorization: `Bearer ${testKey}`, 'content-type': 'application/json' };

export function chatBody(fields: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ model: 'coder', messages: [{ role: 'user', content: 'hello' }], ...fields });
}

/** Waits until `isTrue`, in small bounded steps. */
export async function until(isTrue: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !isTrue(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
}
