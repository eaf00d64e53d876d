// Starts the daemon: everything that can refuse to start does so before the first socket listens.
import crypto from 'node:crypto';
import fs from 'node:fs';
import type http from 'node:http';
import path from 'node:path';
import { type CollectorConfig, type Config, configFilesFor, loadConfig } from '../config/index.ts';
import { codeOf, faults, IntramurError, type Places, packageRoot, product, version } from '../core/index.ts';
import { createAdmission, createClientServer, createGateway, createKeyring, createVault, type Gateway } from '../gateway/index.ts';
import { createSecretPlaceholders } from '../inspect/index.ts';
import { type Ledger, openIndex, openLedger, type ReopeningOptions } from '../ledger/index.ts';
import { createTaint } from '../monitor/index.ts';
import { loadPolicies, type PolicyEngine } from '../policy/index.ts';
import { createConsole } from './console.ts';
import { createControl } from './control.ts';
import { Daemon } from './daemon.ts';
import { directLimits } from './exchange.ts';
import { fileClassesFor } from './file-class.ts';
import { createInspection } from './inspection.ts';
import { knownSecrets, secretsOfFiles } from './known-secrets.ts';
import { createLogins } from './login/logins.ts';
import { lostOutcomes } from './lost-outcomes.ts';
import { createMediation } from './mediation.ts';
import { Proposals } from './proposals.ts';
import { openRegister } from './register.ts';
import { createReload } from './reload.ts';
import { resumed } from './resumed.ts';
import { halt, Sessions } from './session.ts';
import { type Collector, createCollector } from './telemetry/collector.ts';
import { observed } from './telemetry/observe.ts';
import { providerNames } from './telemetry/provider-name.ts';

/** The gateway's port when it is free; any other free one when it is not. */
const preferredPort = 4180;

export interface StartOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly cwd: string;
  readonly places: Places;
  readonly port?: number;
  readonly configFile?: string;
  log(line: string): void;
}

export interface RunningDaemon {
  readonly urls: { readonly gateway: string; readonly console: string };
  stop(): void;
  readonly stopped: Promise<void>;
}

/** @throws IntramurError CONFIG_INVALID, POLICY_INVALID, LEDGER_APPEND; USAGE when a daemon already listens */
export async function startDaemon(options: StartOptions): Promise<RunningDaemon> {
  const { env, home, cwd, places, configFile, log } = options;
  const now = () => new Date();
  const loading = { env, home, cwd, systemDir: places.system, ...(configFile === undefined ? {} : { file: configFile }) };
  const config = await loadConfig(loading);
  requireKeys(config, env);
  const engineFor = createEngines((why) => log(`policy: ${why}`));
  const engine = await engineFor(config);
  /** Of callers without a session. */
  let current = { config, engine, known: Promise.resolve(knownSecrets(await secretsOfFiles(config.inspect.secretFiles))) };
  fs.mkdirSync(places.state, { recursive: true, mode: 0o700 });
  const onFault = (what: string, fault: unknown) => log(`${what}: ${fault instanceof Error ? `${fault.name}: ${fault.message}` : 'fault'}`);
  const ledger = await openedLedger({
    dir: places.ledger,
    keyFile: path.join(places.state, 'ledger.key'),
    origin: `${config.organization ?? 'local'}.intramur.invalid/${crypto.hash('sha256', places.state, 'hex').slice(0, 12)}`,
    now,
    maxDelayMs: 2,
    onFault: (fault) => log(`the ledger refuses everything: ${fault}`),
    onReopened: (how) =>
      void (async () => await resumed(how, { ledger, index, mediation }))().then(log, (fault: unknown) => onFault('ledger', fault)),
  });
  const index = await openIndex(places.index, places.ledger);
  const register = openRegister({
    stateDirectory: places.state,
    config,
    append: (entry) => ledger.append(entry),
    async attestations(agent) {
      await index.catchUp();
      return index.find({ action: 'agent.attest', agent });
    },
    now,
  });

  const sessions = new Sessions();
  const taint = createTaint();
  const vault = createVault();
  const placeholders = createSecretPlaceholders();
  const inspection = createInspection(places.fingerprints, {
    isPlaceholder: (text) => vault.isPlaceholder(text) || placeholders.isOurs(text),
    looksForPersonalData: () => current.config.inspect.personalData === 'on',
  });
  const classesFor = fileClassesFor(places.fingerprints, home);
  const plain = createMediation(
    { inspect: inspection.inspect, append: (entry) => ledger.append(entry), taint, placeholders, now },
    (id) => {
      const session = sessions.get(id);
      return {
        engine: session?.engine ?? current.engine,
        tally: session?.tally,
        ...(session ? { halt: (reason: string) => halt(session, reason) } : {}),
        secrets: (session?.config ?? current.config).inspect.secrets,
        known: session?.secrets ?? current.known,
        files: () => classesFor(session?.config ?? current.config),
      };
    },
    onFault,
  );
  const collector = config.telemetry.otlp && createCollectorFor(config, config.telemetry.otlp, env, () => gateway);
  const mediation = collector ? observed(plain, collector, Date.now) : plain;
  const gateway: Gateway = await createGateway({
    config,
    ...mediation,
    vault,
    env,
    now,
    onFault: (fault) => onFault('gateway', fault),
  });
  const keyring = createKeyring({ config, file: path.join(places.state, 'keys.json'), register: () => register.current(), now });

  const reload = createReload({
    files: configFilesFor(loading),
    load: () => loadConfig(loading),
    async apply(next) {
      requireKeys(next, env);
      const nextEngine = await engineFor(next);
      const known = knownSecrets(await secretsOfFiles(next.inspect.secretFiles));
      const detail = { policy: nextEngine.digest, packs: nextEngine.packs, config: next.files };
      await ledger.append({ action: 'daemon.reload', detail });
      current = { config: next, engine: nextEngine, known: Promise.resolve(known) };
      gateway.reload(next);
      keyring.reload(next);
    },
    onRefused: (fault) => onFault('the configuration was changed and is not in force', fault),
  });
  const closing = Promise.withResolvers<void>();
  const stop = () => closing.resolve();
  const urls = { gateway: '', console: '' };
  const proposals = new Proposals({ append: (entry) => ledger.append(entry), sessionOf: (id) => sessions.get(id), now });
  const daemon = new Daemon({
    proposals,
    ledger,
    vault,
    get engine() {
      return current.engine;
    },
    inspectionFault: () => inspection.fault(),
    sessions,
    places,
    configFile,
    engineFor,
    register,
    forget: (session) => taint.forget(session),
    reload: () => reload.now(),
    env,
    home,
    urls,
    now,
    stop,
    gateway,
    mediation,
    logins: createLogins({ vault, gateway, now }),
    admission: createAdmission(directLimits),
  });

  const control = createControl(daemon, onFault);
  const front = createClientServer({ gateway, keyring, onFault: (fault) => onFault('gateway', fault) });
  const latest = async (n: number) => {
    await index.catchUp();
    return index.tail(n).toReversed();
  };
  const token = crypto.randomBytes(16).toString('hex');
  const console = createConsole(token, { status: () => daemon.status(), latest, metrics: () => gateway.metrics() });
  const servers = [control, front, console];
  try {
    await listenOnSocket(control, places.socket);
    urls.gateway = `http://127.0.0.1:${await listenOnLoopback(front, options.port)}`;
    urls.console = `http://127.0.0.1:${await listenOnLoopback(console, 0)}/?token=${token}`;
    await Promise.all(lostOutcomes(index).map((outcome) => ledger.append(outcome)));
    await ledger.append({ action: 'daemon.start', detail: { version, policy: engine.digest, packs: engine.packs, config: config.files } });
  } catch (fault) {
    for (const server of servers) server.close();
    await ledger.close();
    throw fault;
  }

  const endWatch = reload.watch();
  const stopped = closing.promise.then(async () => {
    endWatch();
    for (const session of sessions.all()) sessions.remove(session, 'the daemon stops');
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
    fs.rmSync(places.socket, { force: true });
    await gateway.settled();
    await collector?.close(collectorPatienceMs);
    await gateway.close();
    await inspection.close();
    keyring.close();
    await mediation.finish();
    await ledger.append({ action: 'daemon.stop' }).catch((fault: unknown) => onFault('stop', fault));
    await ledger.close();
    index.close();
  });
  return { urls, stop, stopped };
}

/** A log that does not verify cannot be written on: to whoever starts a daemon that is the same. */
async function openedLedger(options: ReopeningOptions): Promise<Ledger> {
  try {
    return await openLedger(options);
  } catch (fault) {
    if (codeOf(fault) !== 'LEDGER_CORRUPT' || !(fault instanceof IntramurError)) throw fault;
    throw new IntramurError('LEDGER_APPEND', fault.message, { cause: fault, ...(fault.hint === undefined ? {} : { hint: fault.hint }) });
  }
}

/** One engine for each set of packs and policies: most workspaces share the daemon's own. */
function createEngines(onDistrust: (why: string) => void): (config: Config) => Promise<PolicyEngine> {
  const packsDir = path.join(packageRoot(), 'src', 'packs');
  const engines = new Map<string, Promise<PolicyEngine>>();
  return ({ packs, policies }) => {
    const key = JSON.stringify([packs, policies]);
    const loaded = engines.get(key) ?? loadPolicies({ packs, packsDir, dirs: policies, onDistrust });
    engines.set(key, loaded);
    loaded.catch(() => engines.delete(key));
    return loaded;
  };
}

/** What a collector is told last, when the daemon stops. */
const collectorPatienceMs = 2000;
const collectorTimeoutMs = 10_000;

function createCollectorFor(
  config: Config,
  { url, perimeter, key }: CollectorConfig,
  env: StartOptions['env'],
  gateway: () => Gateway,
): Collector {
  const token = key?.startsWith('env:') ? env[key.slice('env:'.length)] : undefined;
  const headers = ['content-type', 'application/json', 'user-agent', product.name, ...(token ? ['authorization', `Bearer ${token}`] : [])];
  return createCollector({
    perimeter,
    post: (path, body) => gateway().post({ url: new URL(url + path), perimeter, headers, body, timeoutMs: collectorTimeoutMs }),
    providerName: providerNames(config),
    nowMs: Date.now,
  });
}

/** A key that the configuration names and the environment lacks is said at start, not in the middle of somebody's work. */
function requireKeys({ providers, models, telemetry }: Config, env: StartOptions['env']): void {
  const token = telemetry.otlp?.key?.replace(/^env:/, '');
  if (token !== undefined && !env[token])
    throw new IntramurError('CONFIG_INVALID', `telemetry.otlp takes its key from the environment variable ${token}, which is not set`);
  const used = new Set(models.flatMap(({ targets }) => targets.map((target) => target.slice(0, target.indexOf('/')))));
  for (const { id, key } of providers) {
    const name = key?.startsWith('env:') ? key.slice('env:'.length) : undefined;
    if (name !== undefined && used.has(id) && !env[name]) {
      throw new IntramurError('CONFIG_INVALID', `provider "${id}" takes its key from the environment variable ${name}, which is not set`, {
        hint: `export ${name}=… before the daemon starts, or take the provider out of models:`,
      });
    }
  }
}

/** unix(7): `sun_path` and the zero behind it. */
const longestSocketPath = process.platform === 'linux' ? 107 : 103;

/** INVARIANT: the socket is never reachable by another user, not even for a moment: its directory is 0700 and the mask is set before it exists. */
async function listenOnSocket(server: http.Server, file: string): Promise<void> {
  const length = Buffer.byteLength(file);
  if (length > longestSocketPath)
    throw new IntramurError(
      'CONFIG_INVALID',
      `the path of the daemon's socket has ${length} bytes, and the system takes ${longestSocketPath}: ${file}`,
      {
        hint: 'INTRAMUR_HOME=DIR moves it, with DIR of a shorter path',
      },
    );
  fs.chmodSync(path.dirname(file), 0o700);
  if (fs.lstatSync(file, { throwIfNoEntry: false })?.isDirectory())
    throw new IntramurError('DAEMON_UNREACHABLE', `a directory is where the daemon's socket belongs: ${file}`, { hint: 'take it away' });
  fs.rmSync(file, { force: true });
  const mask = process.umask(0o177);
  try {
    await listening(server, { path: file });
  } finally {
    process.umask(mask);
  }
}

async function listenOnLoopback(server: http.Server, port: number | undefined): Promise<number> {
  const host = '127.0.0.1';
  try {
    await listening(server, { host, port: port ?? preferredPort });
  } catch (fault) {
    if (port !== undefined) throw new IntramurError('USAGE', `port ${port} cannot be used: ${(fault as Error).message}`, { cause: fault });
    await listening(server, { host, port: 0 });
  }
  const address = server.address();
  if (address === null || typeof address === 'string') throw new IntramurError('INTERNAL', faults.INTERNAL.says);
  return address.port;
}

function listening(server: http.Server, where: { path: string } | { host: string; port: number }): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(where, () => {
    server.off('error', reject);
    resolve();
  });
  return promise;
}
