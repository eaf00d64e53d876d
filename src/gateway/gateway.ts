// The gateway: model calls of sandboxed agents and of clients with a key, and allowed exchanges of any other kind. It knows
// neither the daemon nor the launcher; what it needs of the monitor comes in as functions.
import net from 'node:net';
import { Readable } from 'node:stream';
import type { Config, ProviderConfig } from '../config/index.ts';
import {
  assertNever,
  type Body,
  type EntryBody,
  type ExchangeHead,
  type ExchangeReply,
  IntramurError,
  type OwnRule,
  type Perimeter,
  type Principal,
  product,
  type Request,
} from '../core/index.ts';
import { type BodyCall, type Call, modelList, refusal } from '../wire/index.ts';
import { type AdmissionLimits, type Admitted, createAdmission, overloaded } from './admission.ts';
import { handleCall } from './call.ts';
import type { Allowance, CallDeps, CallLimits, Mediated } from './call-input.ts';
import { createPreference } from './circuit.ts';
import { createAgents } from './connect.ts';
import type { Departure } from './departure.ts';
import { type DirectInput, forwardDirect } from './direct.ts';
import { watchHealth } from './health.ts';
import { createMetrics } from './metrics.ts';
import { createOutcomes } from './outcomes.ts';
import { faultText, refuse } from './refuse.ts';
import { createRelief } from './relief.ts';
import { checkFor, createResolve, type Resolve } from './resolve.ts';
import { createRoutes, hostInUrl } from './route.ts';
import { createScrubber } from './scrub.ts';
import { collect, send } from './upstream.ts';
import type { Vault } from './vault.ts';

export interface GatewayLimits extends CallLimits, AdmissionLimits {
  readonly connectMs: number;
  readonly directMs: number;
  /** Between two looks at the inside targets. */
  readonly healthMs: number;
}

export interface GatewayOptions {
  readonly config: Config;
  readonly vault: Vault;
  /** Where `env:NAME` keys of providers are. */
  readonly env: Readonly<Record<string, string | undefined>>;
  mediate(request: Request, body: Body): Promise<Mediated>;
  recordRefusal(request: Request, reason: string, rule: OwnRule): Promise<Mediated>;
  recordOutcome(of: number, body: Partial<EntryBody>): Promise<void>;
  now(): Date;
  onFault?(fault: unknown): void;
  readonly limits?: Partial<GatewayLimits>;
}

export interface Gateway {
  /** A model call, or a question beside one (lists, probes). Never throws for what a caller can cause. */
  handle(
    call: Call,
    head: ExchangeHead,
    body: Readable,
    principal: Principal,
    signal: Departure,
    allowance?: Allowance,
  ): Promise<ExchangeReply>;
  /** An exchange that policy allowed, to `head.host` itself. */
  forwardDirect(input: DirectInput): Promise<ExchangeReply>;
  /** A connection that policy allowed, to a checked address. */
  dial(place: { readonly host: string; readonly port: number }): Promise<net.Socket>;
  /** Sends what is the product's own to a place that the configuration names. The status of the answer. */
  post(input: PostInput): Promise<number>;
  /** Asks an outside host, over TLS, in our own words. It is not broken off when a caller goes away. */
  ask(input: AskInput): Promise<AskAnswer>;
  /** Counters in the Prometheus text format. */
  metrics(): string;
  /** From the next call on this configuration counts; calls under way keep theirs. */
  reload(config: Config): void;
  /** Resolves when every outcome so far is recorded. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

interface Settings {
  readonly resolve: Resolve;
  readonly agents: ReturnType<typeof createAgents>;
  readonly calls: CallDeps;
  /** Names of the model map. */
  readonly names: readonly string[];
  /** Inside targets of the model map. */
  readonly inside: readonly ProviderConfig[];
}

export interface AskInput {
  readonly host: string;
  readonly path: string;
  readonly headers: readonly string[];
  readonly body: Uint8Array;
  readonly timeoutMs: number;
  /** Longest answer that is read, bytes. */
  readonly maxBytes: number;
}

export interface AskAnswer {
  readonly status: number;
  readonly rawHeaders: readonly string[];
  /** `undefined` when it was longer. */
  readonly bytes: Buffer | undefined;
}

export interface PostInput {
  readonly url: URL;
  readonly perimeter: Perimeter;
  /** name, value, name, value, … */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
  readonly timeoutMs: number;
}

const defaults: GatewayLimits = {
  maxCalls: 2048,
  maxHeldBytes: 1024 * 1024 * 1024,
  maxBytes: 32 * 1024 * 1024,
  idleMs: 30_000,
  totalMs: 300_000,
  mediateMs: 4_000,
  keepAliveMs: 15_000,
  connectMs: 10_000,
  directMs: 300_000,
  healthMs: 10_000,
};

export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { vault, env, now } = options;
  const limits = { ...defaults, ...options.limits };
  const onFault = options.onFault ?? (() => {});
  const outcomes = createOutcomes((of, body) => options.recordOutcome(of, body), onFault);
  const admission = createAdmission(limits);
  const relief = createRelief(admission);
  const metrics = createMetrics(product.name, () => admission.calls);
  const lasting = {
    vault,
    scrubber: createScrubber(),
    metrics,
    limits,
    now,
    onFault,
    keyOf: (provider: ProviderConfig) => keyOf(provider, env),
    preference: createPreference(() => now().getTime()),
    mediate: (request: Request, body: Body) => options.mediate(request, body),
    recordRefusal: (request: Request, reason: string, rule: OwnRule) => options.recordRefusal(request, reason, rule),
    outcomes,
  };
  /** What a configuration says. A call keeps what it began with. */
  const settingsOf = (config: Config): Settings => {
    const resolve = createResolve(config);
    const agents = createAgents({ resolve, trust: config.trust, connectTimeoutMs: limits.connectMs });
    const calls = { ...lasting, ...createRoutes(config), agents, providerTools: config.providerTools };
    const mapped = new Set(config.models.flatMap(({ targets }) => targets.map((target) => target.slice(0, target.indexOf('/')))));
    const inside = config.providers.filter(({ id, perimeter }) => perimeter === 'onprem' && mapped.has(id));
    return { resolve, agents, calls, names: config.models.map(({ match }) => match), inside };
  };
  let current = settingsOf(options.config);
  const all = [current];
  const health = watchHealth({
    providers: () => current.inside,
    async reach({ hostname, port, protocol }) {
      const host = hostname.replace(/^\[(.*)\]$/, '$1');
      const { addresses, port: dialled } = await current.resolve(host, Number(port) || (protocol === 'https:' ? 443 : 80), 'inside');
      const socket = await open(
        addresses.map(({ address }) => address),
        dialled,
        limits.connectMs,
      );
      socket.destroy();
    },
    seen: (provider, isReachable) => lasting.preference.seen(provider, isReachable),
    everyMs: limits.healthMs,
  });

  /** Holds a place until the last byte of the reply is gone. */
  const admitted = async (call: BodyCall, body: Readable, step: (place: Admitted) => Promise<ExchangeReply>): Promise<ExchangeReply> => {
    const place = admission.enter();
    if (!place) {
      body.resume();
      metrics.refused('overload');
      return overloaded(call.dialect);
    }
    try {
      const reply = await step(place);
      if (reply.body instanceof Readable) reply.body.once('close', place.leave);
      else place.leave();
      return reply;
    } catch (fault) {
      place.leave();
      onFault(fault);
      return refuse(call.dialect, { reason: faultText(fault), policies: [], entry: undefined, kind: 'fault' });
    }
  };

  return {
    async handle(call, head, body, principal, signal, allowance) {
      switch (call.kind) {
        case 'invoke':
        case 'count-tokens':
          return admitted(call, body, (place) =>
            handleCall(current.calls, { call, head, body, principal, signal, place, ...(allowance ? { allowance } : {}) }),
          );
        case 'models':
          body.resume();
          return modelList(call.dialect, current.names);
        case 'probe':
          body.resume();
          return { status: 200, rawHeaders: [], body: new Uint8Array() };
        case 'websocket':
          body.resume();
          return refusal(call.dialect, { message: 'no WebSocket here; use HTTP', kind: 'upgrade' });
        default:
          return assertNever(call);
      }
    },
    forwardDirect: (input) => forwardDirect({ agent: current.agents.named, vault, timeoutMs: limits.directMs, outcomes }, input),
    async dial({ host, port }) {
      const { addresses, port: dialled } = await current.resolve(host, port, 'named');
      return open(
        addresses.map(({ address }) => address),
        dialled,
        limits.connectMs,
      );
    },
    async post({ url, perimeter, headers, body, timeoutMs }) {
      const path = url.pathname + url.search;
      const answer = await send(current.agents[checkFor(perimeter)], {
        origin: url.origin,
        path,
        method: 'POST',
        headers,
        body,
        timeoutMs,
      });
      await collect(answer, maxPostAnswer);
      return answer.status;
    },
    async ask({ host, path, headers, body, timeoutMs, maxBytes }) {
      const origin = `https://${hostInUrl(host)}`;
      const answer = await send(current.agents.named, { origin, path, method: 'POST', headers, body, timeoutMs });
      return { status: answer.status, rawHeaders: answer.rawHeaders, bytes: await collect(answer, maxBytes) };
    },
    metrics: () => metrics.text(),
    settled: () => outcomes.settled(),
    reload(config) {
      current = settingsOf(config);
      all.push(current);
    },
    async close() {
      health.close();
      relief.close();
      await Promise.all(all.flatMap(({ agents }) => Object.values(agents)).map((agent) => agent.destroy()));
      await outcomes.settled();
    },
  };
}

/** Nobody reads what a collector says beyond its status. */
const maxPostAnswer = 64 * 1024;

/** A key stands in the environment of the daemon, never in a file of ours. */
function keyOf({ key }: ProviderConfig, env: GatewayOptions['env']): string | undefined {
  return key?.startsWith('env:') ? env[key.slice('env:'.length)] : undefined;
}

async function open(addresses: readonly string[], port: number, timeoutMs: number): Promise<net.Socket> {
  let last: unknown;
  for (const address of addresses) {
    try {
      return await openOne(address, port, timeoutMs);
    } catch (fault) {
      last = fault;
    }
  }
  throw new IntramurError('UPSTREAM_UNREACHABLE', 'the connection failed', { cause: last });
}

function openOne(host: string, port: number, timeoutMs: number): Promise<net.Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<net.Socket>();
  const socket = net.connect({ host, port, noDelay: true });
  const timer = setTimeout(() => socket.destroy(new Error('the connection took too long')), timeoutMs);
  socket.once('error', reject);
  socket.once('connect', () => {
    socket.off('error', reject);
    resolve(socket);
  });
  return promise.finally(() => clearTimeout(timer));
}
