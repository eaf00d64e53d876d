// Files into one configuration. Which key of which file counts:
//
// | key                                                    | user, --config FILE | workspace                 | system              |
// | ------------------------------------------------------ | ------------------- | ------------------------- | ------------------- |
// | organization, providers, models, keys, signing,        | the later replaces  | refused                   | replaces, so fixed  |
// | egress, inside, resolve, resolvers, trust, telemetry   |                     |                           |                     |
// | providerTools                                          | the later replaces  | refused                   | stricter wins       |
// | policies                                               | the later replaces  | refused: they may permit  | replaces, see below |
// | repositories                                           | the later replaces  | added, never `public`     | added               |
// | packs                                                  | the later replaces  | added, if they only forbid | others' only if they only forbid |
// | tools                                                  | per id, later wins  | per id, only stricter     | per id, stricter wins |
// | purposes.default                                       | the later replaces  | only to production        | stricter wins       |
// | inspect.secrets                                        | the later replaces  | only to block             | stricter wins       |
// | inspect.secretFiles                                    | the later replaces  | refused                   | added               |
// | inspect.personalData                                   | the later replaces  | refused                   | stricter wins       |
// | agents.attestation                                     | the later replaces  | only to required          | stricter wins       |
//
// A system file that names packs, policies or egress speaks for all policies: those of other files would be a way around it.
//
// INVARIANT: a workspace file is written by whoever wrote the repository, possibly the agent. Nothing in it may open, redirect or
// lower anything. Where several `repositories` rules match, the highest class counts, so adding one never lowers.
import { isIP } from 'node:net';
import { IntramurError, nearest, vettings } from '../core/index.ts';
import { isInside } from './address.ts';
import type { Config, ProviderConfig } from './config.ts';
import { defaultConfig } from './defaults.ts';
import type { Layer, Placed, ToolConfig } from './layer.ts';
import { matchWildcard } from './wildcard.ts';

const invalid = (message: string, hint?: string) => new IntramurError('CONFIG_INVALID', message, hint === undefined ? {} : { hint });

/** What only the user or the system may say. */
export const keysClosedToWorkspace = [
  'organization',
  'providers',
  'models',
  'keys',
  'egress',
  'signing',
  'inside',
  'resolve',
  'resolvers',
  'trust',
  'policies',
  'providerTools',
  'telemetry',
] as const;

/**
 * @param layers in order: user, workspace, named, system
 * @param trust PEM texts, in the place of the paths that the last layer with `trust` names
 */
export function merge(layers: readonly Layer[], trust: readonly string[]): Config {
  const merged: Config = { ...defaultConfig, ...replaced(layers), ...restricted(layers), trust, files: layers.map(({ file }) => file) };
  checkCollector(layers, merged);
  checkProviders(layers, merged);
  checkModels(layers, merged);
  return merged;
}

/** The value of the last layer that has the key. Workspaces have none of these: load.ts has refused them. */
export function last<K extends keyof Layer>(layers: readonly Layer[], key: K): Layer[K] | undefined {
  return layers.findLast((layer) => layer[key] !== undefined)?.[key];
}

function replaced(
  layers: readonly Layer[],
): Pick<
  Config,
  'organization' | 'providers' | 'models' | 'keys' | 'signing' | 'egress' | 'inside' | 'resolve' | 'resolvers' | 'telemetry'
> {
  const configured = last(layers, 'providers')?.map(({ value }) => value);
  const providers = configured ?? defaultConfig.providers;
  const models = last(layers, 'models')?.map(({ match, targets }) => ({ match, targets: targets.map(({ value }) => value) }));
  return {
    organization: last(layers, 'organization'),
    providers,
    // Providers without a model map: each is asked for the name that the agent asked for.
    models: models ?? (providers.length > 0 ? [{ match: '*', targets: providers.map(({ id }) => `${id}/*`) }] : []),
    keys: last(layers, 'keys') ?? [],
    signing: last(layers, 'signing') ?? defaultConfig.signing,
    egress: { allow: last(layers, 'allow') ?? [] },
    inside: last(layers, 'inside') ?? [],
    resolve: last(layers, 'resolve') ?? [],
    resolvers: last(layers, 'resolvers') ?? [],
    telemetry: { otlp: last(layers, 'otlp')?.value },
  };
}

type Restricting = Pick<
  Config,
  'repositories' | 'tools' | 'attestation' | 'packs' | 'policies' | 'defaultPurpose' | 'inspect' | 'providerTools'
>;

function restricted(layers: readonly Layer[]): Restricting {
  let state: Restricting = defaultConfig;
  const raised: Config['repositories'][number][] = [];
  for (const layer of layers) {
    const repositories = layer.repositories?.map(({ value }) => value);
    const adds = layer.origin === 'workspace' || layer.origin === 'system';
    if (layer.origin === 'workspace') refuseLowering(layer, state);
    if (adds) raised.push(...(repositories ?? []));
    state = {
      repositories: adds ? state.repositories : (repositories ?? state.repositories),
      packs: packsUnder(layer, state.packs),
      policies: policiesUnder(layer, state.policies),
      tools: {
        ...state.tools,
        ...Object.fromEntries([...(layer.tools ?? [])].map(([id, tool]) => [id, toolUnder(layer, id, state.tools[id], tool)])),
      },
      attestation: stricter(layer, 'agents.attestation', state.attestation, layer.attestation, ['optional', 'required']),
      defaultPurpose: stricter(layer, 'purposes.default', state.defaultPurpose, layer.defaultPurpose, ['research', 'production']),
      inspect: {
        secrets: stricter(layer, 'inspect.secrets', state.inspect.secrets, layer.secrets, ['placeholder', 'block']),
        secretFiles: secretFilesUnder(layer, state.inspect.secretFiles),
        personalData: personalDataUnder(layer, state.inspect.personalData),
      },
      providerTools: stricter(layer, 'providerTools', state.providerTools, layer.providerTools, ['strip', 'refuse']),
    };
  }
  return { ...state, repositories: [...state.repositories, ...raised] };
}

/** The one pack that permits anything (a test over the packs says so): adding any other can only narrow. */
const permittingPack = 'baseline';

function packsUnder(layer: Layer, before: readonly string[]): readonly string[] {
  const { origin } = layer;
  const packs = layer.packs?.map(({ value }) => value);
  if (!packs) return before;
  if (origin === 'workspace') return [...new Set([...before, ...packs])];
  if (origin === 'system') return [...new Set([...packs, ...before.filter((pack) => pack !== permittingPack)])];
  return [...new Set(packs)];
}

function policiesUnder(layer: Layer, before: readonly string[]): readonly string[] {
  const own = layer.policies?.map(({ value }) => value);
  const speaksForAll = layer.origin === 'system' && (layer.packs ?? layer.allow) !== undefined;
  return own ?? (speaksForAll ? [] : before);
}

/** A repository's own are found where it lies; that it names others would tell it what they hold. */
function secretFilesUnder({ origin, secretFiles }: Layer, before: readonly string[]): readonly string[] {
  if (!secretFiles) return before;
  const own = secretFiles.map(({ value }) => value);
  const [first] = secretFiles;
  if (origin === 'workspace' && first) throw invalid(`${first.where}: a repository cannot name inspect.secretFiles`);
  return origin === 'system' ? [...new Set([...before, ...own])] : own;
}

/** One daemon looks at what all sessions send, so it is not for one repository to say. */
function personalDataUnder(layer: Layer, before: 'off' | 'on'): 'off' | 'on' {
  if (layer.origin === 'workspace' && layer.personalData)
    throw invalid(`${layer.personalData.where}: a repository cannot set inspect.personalData`);
  return stricter(layer, 'inspect.personalData', before, layer.personalData, ['off', 'on']);
}

/** `order` goes from loose to strict. */
function stricter<T extends string>(layer: Layer, key: string, before: T, after: Placed<T> | undefined, order: readonly T[]): T {
  if (!after) return before;
  const tightens = order.indexOf(after.value) >= order.indexOf(before);
  if (layer.origin === 'workspace' && !tightens) {
    throw invalid(`${after.where}: a repository cannot loosen ${key} from "${before}" to "${after.value}"`);
  }
  return layer.origin === 'system' && !tightens ? before : after.value;
}

function toolUnder(layer: Layer, id: string, before: ToolConfig | undefined, { value, where }: Placed<ToolConfig>): ToolConfig {
  if (layer.origin === 'user' || layer.origin === 'named') return value;
  if (layer.origin === 'workspace') {
    const known = before?.status ?? 'unvetted';
    if (vettings.indexOf(value.status) < vettings.indexOf(known)) {
      throw invalid(`${where}: a repository cannot loosen tools.${id} from "${known}" to "${value.status}"`);
    }
    const changed = (['versions', 'sha256'] as const).find(
      (pin) => before?.[pin] !== undefined && ![undefined, before[pin]].includes(value[pin]),
    );
    if (changed && value.status === 'vetted') throw invalid(`${where}: a repository cannot change tools.${id}.${changed}`);
  }
  return before ? stricterTool(before, value) : value;
}

/** At least as strict as each of both, whatever runs. Outside its pins a ban leaves a tool unvetted, so the stricter status may keep its own. */
function stricterTool(before: ToolConfig, after: ToolConfig): ToolConfig {
  const difference = vettings.indexOf(after.status) - vettings.indexOf(before.status);
  if (difference !== 0) return difference > 0 ? after : before;
  // Pins narrow: more of them make a tool vetted less often, but banned less often too.
  if (after.status === 'vetted') return { ...before, ...after };
  const isSame = before.versions === after.versions && before.sha256 === after.sha256;
  return isSame ? after : { status: after.status };
}

function refuseLowering(layer: Layer, before: Restricting): void {
  const lowered = layer.repositories?.find(({ value }) => value.classification === 'public');
  if (lowered) {
    throw invalid(
      `${lowered.where}: a repository cannot classify itself "public"`,
      'it may only raise its class; lower it in your own configuration',
    );
  }
  if (layer.packs?.some(({ value }) => value === permittingPack) && !before.packs.includes(permittingPack)) {
    throw invalid(`${layer.file}: a repository cannot add the pack "${permittingPack}", which permits`);
  }
}

function checkProviders(layers: readonly Layer[], config: Config): void {
  for (const { value, where } of last(layers, 'providers') ?? []) {
    const host = new URL(value.url).hostname.replace(/^\[(.*)\]$/, '$1');
    if (value.perimeter !== 'onprem' || isIP(host) === 0 || isInside(host, config.inside)) continue;
    if (config.resolve.some((rule) => rule.host === host)) continue;
    throw invalid(
      `${where}: provider "${value.id}" is onprem, but ${host} is neither loopback nor private`,
      'if the address is yours, list its range under `inside`',
    );
  }
}

/** What a collector is told is about the company's data, so its address is held to its word like that of a model. */
function checkCollector(layers: readonly Layer[], config: Config): void {
  const placed = last(layers, 'otlp');
  if (!placed || placed.value.perimeter !== 'onprem') return;
  const host = new URL(placed.value.url).hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(host) === 0 || isInside(host, config.inside) || config.resolve.some((rule) => rule.host === host)) return;
  throw invalid(
    `${placed.where}: the collector is onprem, but ${host} is neither loopback nor private`,
    'if the address is yours, list its range under `inside`',
  );
}

function checkModels(layers: readonly Layer[], config: Config): void {
  const byId = new Map<string, ProviderConfig>(config.providers.map((provider) => [provider.id, provider]));
  for (const { targets } of last(layers, 'models') ?? []) {
    for (const { value, where } of targets) {
      const id = value.slice(0, value.indexOf('/'));
      const provider = byId.get(id);
      if (!provider) {
        const meant = nearest(id, byId.keys());
        throw invalid(`${where}: models name the provider "${id}", which is not configured${meant ? `; did you mean "${meant}"?` : ''}`);
      }
      const model = value.slice(id.length + 1);
      if (provider.perimeter === 'onprem' && isCloudModel(model)) {
        throw invalid(
          `${where}: model "${model}" of the onprem provider "${id}" is run by somebody else's cloud`,
          'a tag that ends in "cloud" names a hosted model',
        );
      }
    }
  }
}

/** Local model servers pass a model whose tag ends in `cloud` on to a hosted service. */
export function isCloudModel(model: string): boolean {
  return matchWildcard('*:*cloud', model.toLowerCase());
}
