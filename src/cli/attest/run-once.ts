// One run of the subject in one set of surroundings: boxed, with no way out but to a rehearsal model, and everything that it sends taken
// down. Joins the sandbox, the egress and the test kit's model.
import { AsyncLocalStorage } from 'node:async_hooks';
import { endpointClass } from '../../agents/index.ts';
import { type Assignment, clockAheadMs, levelOf, type ObservedHello, type ObservedRequest, type RunRecord } from '../../attest/index.ts';
import type { EgressClass, ExchangeHead, ExchangeReply } from '../../core/index.ts';
import { type Authority, createAuthority, createEgress, makeAuthority, trustEnv } from '../../egress/index.ts';
import { type LaunchPlan, trustPaths } from '../../sandbox/index.ts';
import { startFakeUpstream } from '../../testing/index.ts';
import { detectCall } from '../../wire/index.ts';
import { askModel, boxLimits, boxPorts, nobodyHome, quiet, readAll, runInBox } from '../boxed.ts';
import { searchPath } from '../run/environment.ts';
import { pointedAt, type Subject } from './subject.ts';
import type { Stage } from './surroundings.ts';

const runLimitMs = 120_000;

/** Two turns with a tool call between them. */
export const rehearsal = [
  { text: 'I will write the file.', acts: [{ do: 'write', path: 'hello.txt', content: 'hello\n' }] },
  { text: 'The file is there.' },
] as const;

/** Stands before the model, as the gateway does: what arrives behind it is compared, not what the agent sent. */
export interface InLine {
  /** On loopback. */
  readonly port: number;
  /** The model call that arrived behind it last, taken out; `undefined` when none did. */
  takeArrived(): Pick<ObservedRequest, 'rawHeaders' | 'body' | 'target'> | undefined;
}

export async function runOnce(
  subject: Subject,
  stage: Stage,
  assignment: Assignment,
  cacheDir: string,
  inLine?: InLine,
): Promise<RunRecord> {
  const upstream = await startFakeUpstream({ script: rehearsal });
  const layer = stage.openLayer(assignment);
  const aheadMs = clockAheadMs(assignment);
  const clockInside = (): Date => new Date(Date.now() + aheadMs);
  const authority = createAuthority(makeAuthority(clockInside()));
  const requests: ObservedRequest[] = [];
  const lookups = new Set<string>();
  const hellos: ObservedHello[] = [];
  let unread: string | undefined;
  const startedAt = clockInside();
  const began = performance.now();
  const host = levelOf('base-url', assignment).id;
  const egress = createEgress({
    authority,
    gatewayHosts: [],
    onHello: (host, { protocols, fingerprint }) => void hellos.push({ host, protocols, ...fingerprint }),
    async connect({ host: name, port, protocol }) {
      const at = performance.now() - began;
      const none = { target: '', httpVersion: '', rawHeaders: [], body: Buffer.alloc(0), class: 'other' } as const;
      requests.push({ ...none, at, answeredAt: at, connection: 0, host: name, port, method: protocol });
      return { effect: 'deny', reason: 'an attestation has no way out' };
    },
    async forward(head, body) {
      const bytes = await readAll(body).catch((fault: unknown) => {
        // Not recorded, it would be a way to send what nobody compares.
        unread = fault instanceof Error ? fault.message : String(fault);
        throw fault;
      });
      const at = performance.now() - began;
      const kind = classOf(head, host);
      const reply = kind === 'model' ? await askModel(inLine?.port ?? upstream.port, head, bytes) : nobodyHome(head);
      const { port, method, target, httpVersion, rawHeaders } = head;
      const answeredAt = performance.now() - began;
      requests.push({
        at,
        answeredAt,
        connection: connectionSerial.getStore() ?? 0,
        host: head.host,
        port,
        method,
        target,
        httpVersion,
        rawHeaders,
        body: bytes,
        class: kind,
        ...(kind === 'model' ? inLine?.takeArrived() : undefined),
      });
      return dated(reply, clockInside());
    },
  });
  let connections = 0;
  try {
    await runInBox(planFor(subject, stage, assignment, { authority, layer, cacheDir }), egress, runLimitMs, {
      connected(take) {
        connections += 1;
        connectionSerial.run(connections, take);
      },
      lookedUp: (query) => void lookups.add(questionOf(query)),
    });
    const isSilent = !requests.some((request) => request.class === 'model');
    const failed = unread ?? (isSilent ? 'the program made no model call' : undefined);
    return {
      assignment,
      stated: stage.stated(assignment),
      startedAt,
      endedAt: clockInside(),
      timezone: levelOf('timezone', assignment).id,
      locale: levelOf('locale', assignment).id.split('.')[0]?.replace('_', '-') ?? 'en-US',
      requests: requests.toSorted((a, b) => a.at - b.at),
      lookups: [...lookups],
      hellos,
      ...(failed === undefined ? {} : { failed }),
    };
  } finally {
    await upstream.close();
    layer.close();
  }
}

function planFor(
  subject: Subject,
  stage: Stage,
  assignment: Assignment,
  { authority, layer, cacheDir }: { authority: Authority; layer: { readonly upper: string; readonly work: string }; cacheDir: string },
): LaunchPlan {
  const value = (factor: Parameters<typeof levelOf>[0]): string => levelOf(factor, assignment).id;
  const [userName, hostName, proxy, workspace] = [value('user'), value('hostname'), value('proxy'), stage.workspace(assignment)];
  const home = `/home/${userName}`;
  const { env, files } = pointedAt(subject, value('base-url'), apiKey(value('login')));
  return {
    argv: quiet(subject.program.path, subject.args),
    workspace,
    cwd: workspace,
    mode: 'overlay',
    env: {
      TERM: 'dumb',
      LANG: value('locale'),
      LC_ALL: value('locale'),
      TZ: value('timezone'),
      HOME: home,
      USER: userName,
      LOGNAME: userName,
      HOSTNAME: hostName,
      SHELL: '/bin/sh',
      TMPDIR: '/tmp',
      PATH: `${searchPath(subject.program)}:${stage.tools(assignment)}`,
      ...trustEnv(trustPaths.ca, trustPaths.bundle),
      ...env,
      ...(proxy === '' ? {} : { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, http_proxy: proxy, https_proxy: proxy }),
    },
    home,
    homeFiles: files,
    readOnly: [...subject.program.trees, ...stage.linked, stage.tools(assignment)],
    ...(clockAheadMs(assignment) === 0 ? {} : { clockAheadMs: clockAheadMs(assignment) }),
    caPem: authority.pem,
    javaStore: authority.javaStore,
    ports: [80, 443, 8080, 8443],
    ...boxPorts,
    overlay: layer,
    limits: boxLimits,
    cacheDir,
    hostName,
    userName,
  };
}

/** A server's clock agrees with the program's: else its answers would tell the program that its own is another one. */
function dated(reply: ExchangeReply, date: Date): ExchangeReply {
  const { rawHeaders } = reply;
  const others = rawHeaders.filter((_, i) => rawHeaders[i - (i % 2)]?.toLowerCase() !== 'date');
  return { ...reply, rawHeaders: [...others, 'date', date.toUTCString()] };
}

/** Looks like a key of a vendor, so that an agent's own check of its form passes. It opens nothing. */
export function apiKey(name: string): string {
  return `sk-ant-api03-${'0'.repeat(60)}-${name}-AA`;
}

function classOf(head: ExchangeHead, modelHost: string): EgressClass {
  const path = head.target.split('?', 1)[0] ?? '/';
  const known = endpointClass(head.host, path);
  if (known !== undefined && known !== 'model') return known;
  const { kind } = detectCall(head, head.host === modelHost ? 'gateway' : 'vendor');
  if (head.host !== modelHost) return known ?? (kind === 'invoke' ? 'model' : 'other');
  return kind === 'unknown' ? 'other' : kind === 'models' || kind === 'probe' ? 'catalogue' : 'model';
}

/** Which connection an exchange came over: carried along from the moment that the connection was taken. */
const connectionSerial = new AsyncLocalStorage<number>();

/** The name in the question of a DNS message. */
function questionOf(query: Buffer): string {
  const labels: string[] = [];
  for (let at = 12; at < query.length; ) {
    const length = query[at] ?? 0;
    if (length === 0 || length > 63) break;
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return labels.join('.').toLowerCase();
}
