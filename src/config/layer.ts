// One configuration file as typed values. Runs after the schema has accepted the shape; checks what a schema cannot say.
import path from 'node:path';
import {
  type Classification,
  classifications,
  dialects,
  IntramurError,
  type Perimeter,
  type Purpose,
  perimeters,
  purposes,
  vettings,
} from '../core/index.ts';
import { defaultPorts, parseCidr, parseGrantedHost, parseResolveRule, parseResolver } from './address.ts';
import type { CollectorConfig, Config, HostGrant, KeyConfig, ProviderConfig, ResolveRule } from './config.ts';
import { booleanOf, entryOf, itemsOf, type Located, type LocatedFile, numberOf, pairsOf, textOf, wordOf } from './located.ts';

/** Who wrote a file: the lists of what each may do stand in merge.ts. */
export type Origin = 'user' | 'workspace' | 'named' | 'system';

/** A value with its `file:line:column`, for errors that only show when all files are known. */
export interface Placed<T> {
  readonly value: T;
  readonly where: string;
}

export type ToolConfig = Config['tools'][string];
export type RepositoryRule = Config['repositories'][number];

/** What one file says. A key that the file does not have is `undefined`. */
export interface Layer {
  readonly origin: Origin;
  readonly file: string;
  readonly organization: string | undefined;
  readonly providers: readonly Placed<ProviderConfig>[] | undefined;
  readonly models: readonly { readonly match: string; readonly targets: readonly Placed<string>[] }[] | undefined;
  readonly repositories: readonly Placed<RepositoryRule>[] | undefined;
  readonly defaultPurpose: Placed<Purpose> | undefined;
  readonly tools: ReadonlyMap<string, Placed<ToolConfig>> | undefined;
  readonly attestation: Placed<'optional' | 'required'> | undefined;
  readonly packs: readonly Placed<string>[] | undefined;
  readonly policies: readonly Placed<string>[] | undefined;
  readonly keys: readonly KeyConfig[] | undefined;
  readonly secrets: Placed<'placeholder' | 'block'> | undefined;
  /** Absolute paths. */
  readonly secretFiles: readonly Placed<string>[] | undefined;
  readonly personalData: Placed<'off' | 'on'> | undefined;
  readonly providerTools: Placed<'strip' | 'refuse'> | undefined;
  readonly otlp: Placed<CollectorConfig> | undefined;
  readonly allow: readonly HostGrant[] | undefined;
  readonly signing: Config['signing'] | undefined;
  readonly inside: readonly string[] | undefined;
  readonly resolve: readonly ResolveRule[] | undefined;
  readonly resolvers: readonly string[] | undefined;
  /** Paths of PEM files. */
  readonly trust: readonly Placed<string>[] | undefined;
}

export interface LayerContext {
  readonly origin: Origin;
  readonly home: string;
}

export function layerFrom(file: LocatedFile, { origin, home }: LayerContext): Layer {
  const top = (key: string) => entryOf(file.root, key);
  const directory = path.dirname(file.path);
  const absolute = (text: string) =>
    text === '~' || text.startsWith('~/') ? path.join(home, text.slice(1)) : path.resolve(directory, text);
  const placed = <T>(node: Located, value: T): Placed<T> => ({ value, where: file.where(node.at) });
  const fail = (node: Located, message: string, hint?: string): never => {
    throw new IntramurError('CONFIG_INVALID', `${file.where(node.at)}: ${message}`, hint === undefined ? {} : { hint });
  };
  /** Each item of a list of texts through a parser; a text that it does not take is an error. */
  const each = <T>(key: string, parse: (text: string) => T | undefined, expected: string): T[] | undefined => {
    const list = top(key);
    return list && itemsOf(list).map((item, i) => parse(textOf(item) ?? '') ?? fail(item, `${key}[${i}] must be ${expected}`));
  };
  const unique = (node: Located | undefined, name: string, key: string) => {
    const seen = new Set<string>();
    itemsOf(node).forEach((item, i) => {
      const value = textOf(entryOf(item, key))?.toLowerCase() ?? '';
      if (seen.has(value)) fail(entryOf(item, key) ?? item, `${name}[${i}].${key} is used twice`);
      seen.add(value);
    });
  };

  unique(top('providers'), 'providers', 'id');
  unique(top('keys'), 'keys', 'id');
  unique(top('keys'), 'keys', 'sha256');

  const defaultPurpose = entryOf(top('purposes'), 'default');
  const secrets = entryOf(top('inspect'), 'secrets');
  const personalData = entryOf(top('inspect'), 'personalData');
  const providerTools = top('providerTools');
  const otlp = entryOf(top('telemetry'), 'otlp');
  const tools = top('tools');
  const attestation = entryOf(top('agents'), 'attestation');
  return {
    origin,
    file: file.path,
    organization: textOf(top('organization')),
    providers: list(top('providers'), (item, i) =>
      placed(
        item,
        providerFrom(item, (key, why, hint) => fail(entryOf(item, key) ?? item, `providers[${i}].${key} ${why}`, hint)),
      ),
    ),
    models:
      top('models') &&
      pairsOf(top('models')).map(([match, targets]) => ({
        match,
        targets: itemsOf(targets).map((target) => placed(target, textOf(target) ?? '')),
      })),
    repositories: list(top('repositories'), (item) => {
      const match = textOf(entryOf(item, 'match')) ?? '';
      const isPath = match.startsWith('~/') || match === '~' || match.startsWith('./') || match.startsWith('../') || match === '.';
      return placed(entryOf(item, 'classification') ?? item, {
        match: isPath ? absolute(match) : match,
        classification: wordOf<Classification>(entryOf(item, 'classification'), classifications) ?? 'restricted',
      });
    }),
    defaultPurpose: defaultPurpose && placed(defaultPurpose, wordOf(defaultPurpose, purposes) ?? 'production'),
    tools: tools && new Map(pairsOf(tools).map(([id, node, keyAt]) => [id, { value: toolFrom(node), where: file.where(keyAt) }])),
    attestation: attestation && placed(attestation, wordOf(attestation, ['optional', 'required'] as const) ?? 'required'),
    packs: list(top('packs'), (item) => placed(item, textOf(item) ?? '')),
    policies: list(top('policies'), (item) => placed(item, absolute(textOf(item) ?? ''))),
    keys: list(top('keys'), keyFrom),
    secrets: secrets && placed(secrets, wordOf(secrets, ['placeholder', 'block'] as const) ?? 'block'),
    secretFiles: list(entryOf(top('inspect'), 'secretFiles'), (item) => placed(item, absolute(textOf(item) ?? ''))),
    personalData: personalData && placed(personalData, wordOf(personalData, ['off', 'on'] as const) ?? 'on'),
    providerTools: providerTools && placed(providerTools, wordOf(providerTools, ['strip', 'refuse'] as const) ?? 'refuse'),
    otlp:
      otlp &&
      placed(
        otlp,
        collectorFrom(otlp, (key, why, hint) => fail(entryOf(otlp, key) ?? otlp, `telemetry.otlp.${key} ${why}`, hint)),
      ),
    allow: list(entryOf(top('egress'), 'allow'), (item, i) => {
      const host = parseGrantedHost(textOf(entryOf(item, 'host')) ?? '');
      const ports = entryOf(item, 'ports');
      return {
        host:
          host ??
          fail(
            entryOf(item, 'host') ?? item,
            `egress.allow[${i}].host must be a host name, an address, or *. and a domain`,
            'ports stand under `ports`',
          ),
        ports: ports ? itemsOf(ports).map((port) => numberOf(port) ?? 0) : defaultPorts,
      };
    }),
    signing: top('signing') && {
      ssh: itemsOf(entryOf(top('signing'), 'ssh')).map((item) => textOf(item) ?? ''),
      gpg: itemsOf(entryOf(top('signing'), 'gpg')).map((item) => (textOf(item) ?? '').toUpperCase()),
    },
    inside: each('inside', (text) => (parseCidr(text) ? text : undefined), 'an address range such as 100.64.0.0/10'),
    resolve: each('resolve', parseResolveRule, 'HOST:PORT:ADDR:PORT, as in "git.acme.example:443:127.0.0.1:8443"'),
    resolvers: each('resolvers', parseResolver, 'ADDR:PORT, as in "127.0.0.1:5353"'),
    trust: list(top('trust'), (item) => placed(item, absolute(textOf(item) ?? ''))),
  };
}

function list<T>(node: Located | undefined, read: (item: Located, i: number) => T): T[] | undefined {
  return node && itemsOf(node).map(read);
}

function providerFrom(node: Located, fail: (key: string, why: string, hint?: string) => never): ProviderConfig {
  const perimeter = wordOf<Perimeter>(entryOf(node, 'perimeter'), perimeters) ?? 'public';
  const key = textOf(entryOf(node, 'key'));
  const url = addressIn(node, fail);
  return {
    id: textOf(entryOf(node, 'id')) ?? '',
    dialect: wordOf(entryOf(node, 'dialect'), dialects) ?? fail('dialect', 'is missing'),
    url,
    perimeter,
    vetted: booleanOf(entryOf(node, 'vetted')) ?? perimeter !== 'public',
    key: key === 'client' || key === 'none' ? undefined : key,
    timeoutMs: numberOf(entryOf(node, 'timeoutMs')) ?? 600_000,
    credential: key === 'client' ? 'client' : 'provider',
  };
}

/** Without a trailing slash. */
function addressIn(node: Located, fail: (key: string, why: string, hint?: string) => never): string {
  const url = URL.parse(textOf(entryOf(node, 'url')) ?? '');
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) return fail('url', 'must be an http:// or https:// address');
  // A URL is shown in logs and in the console: credentials in it would be shown too.
  if (url.username !== '' || url.password !== '')
    return fail('url', 'must not hold credentials', 'put the key into a variable and name it with key: env:NAME');
  if (url.search !== '' || url.hash !== '') return fail('url', 'must not have a query or fragment');
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function collectorFrom(node: Located, fail: (key: string, why: string, hint?: string) => never): CollectorConfig {
  const key = textOf(entryOf(node, 'key'));
  return {
    url: addressIn(node, fail),
    perimeter: wordOf<Perimeter>(entryOf(node, 'perimeter'), perimeters) ?? 'public',
    key: key === 'none' ? undefined : key,
  };
}

function toolFrom(node: Located): ToolConfig {
  const versions = textOf(entryOf(node, 'versions'));
  const sha256 = textOf(entryOf(node, 'sha256'));
  return {
    status: wordOf(entryOf(node, 'status'), vettings) ?? 'banned',
    ...(versions === undefined ? {} : { versions: versions.trim() }),
    ...(sha256 === undefined ? {} : { sha256: sha256.toLowerCase() }),
  };
}

function keyFrom(node: Located): KeyConfig {
  const text = (key: 'user' | 'team' | 'tool') => {
    const value = textOf(entryOf(node, key));
    return value === undefined ? {} : { [key]: value };
  };
  const purpose = wordOf<Purpose>(entryOf(node, 'purpose'), purposes);
  const classification = wordOf<Classification>(entryOf(node, 'classification'), classifications);
  const budget = entryOf(node, 'budget');
  const limit = (key: 'requests' | 'tokens' | 'usd') => {
    const value = numberOf(entryOf(budget, key));
    return value === undefined ? {} : { [key]: value };
  };
  return {
    id: textOf(entryOf(node, 'id')) ?? '',
    sha256: (textOf(entryOf(node, 'sha256')) ?? '').toLowerCase(),
    ...text('user'),
    ...text('team'),
    ...text('tool'),
    ...(purpose ? { purpose } : {}),
    ...(classification ? { classification } : {}),
    ...(budget
      ? {
          budget: {
            ...limit('requests'),
            ...limit('tokens'),
            ...limit('usd'),
            per: wordOf(entryOf(budget, 'per'), ['hour', 'day', 'week', 'month'] as const) ?? 'month',
          },
        }
      : {}),
  };
}
