// Finds, reads, checks and merges the configuration files. A file that is missing where it may be is nothing; anything else that
// cannot be read or does not parse is CONFIG_INVALID, and nothing is started (docs/configuration.md).
import { X509Certificate } from 'node:crypto';
import { constants, lstat, open, readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { IntramurError, nearest, packageRoot, placesFrom, product } from '../core/index.ts';
import type { Config } from './config.ts';
import { type Layer, layerFrom, type Origin, type Placed } from './layer.ts';
import { maxConfigBytes, parseLocated, printable } from './located.ts';
import { keysClosedToWorkspace, last, merge } from './merge.ts';
import { configSchema } from './schema.ts';
import { validate } from './validate.ts';

export interface LoadOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** The workspace. */
  readonly cwd: string;
  /**
   * What a repository brings was written by whoever wrote it. `needed`, the default: a file of the workspace that does not hold is a
   * fault, as for `run`. `if-it-holds`: it is left out then, for who reports it. `ignored`: for what has nothing to do with a workspace.
   */
  readonly workspaceFile?: 'needed' | 'if-it-holds' | 'ignored';
  /** `--config FILE`: must exist. */
  readonly file?: string | undefined;
  /** `/etc/intramur` outside tests. */
  readonly systemDir: string;
}

interface Candidate {
  readonly origin: Origin;
  readonly path: string;
}

function candidatesFor({ env, home, cwd, workspaceFile, file, systemDir }: LoadOptions): readonly Candidate[] {
  const name = `${product.name}.yaml`;
  const named = file === undefined ? undefined : path.resolve(cwd, file);
  return [
    { origin: 'user', path: path.join(placesFrom(env, home).config, name) },
    ...(workspaceFile === 'ignored' ? [] : [{ origin: 'workspace', path: path.join(path.resolve(cwd), name) } as const]),
    ...(named === undefined ? [] : [{ origin: 'named', path: named } as const]),
    { origin: 'system', path: path.join(systemDir, name) },
  ];
}

/** Every file that counts when it is there. */
export function configFilesFor(options: LoadOptions): readonly string[] {
  return candidatesFor(options).map(({ path }) => path);
}

/** @throws IntramurError CONFIG_INVALID or CONFIG_NOT_FOUND; the message names file, line, column and key */
export async function loadConfig(options: LoadOptions): Promise<Config> {
  if (options.workspaceFile !== 'if-it-holds') return await loadAll(options);
  try {
    return await loadAll(options);
  } catch {
    // Where another file is at fault this throws again.
    return await loadAll({ ...options, workspaceFile: 'ignored' });
  }
}

async function loadAll(options: LoadOptions): Promise<Config> {
  const layers = await layersOf(options);
  const trust = await Promise.all((last(layers, 'trust') ?? []).map(readAuthorities));
  await Promise.all(layers.flatMap(({ policies = [] }) => policies).map(checkDirectory));
  await checkPacks(layers.flatMap(({ packs = [] }) => packs));
  return merge(layers, trust);
}

async function layersOf(options: LoadOptions): Promise<readonly Layer[]> {
  const candidates = candidatesFor(options);
  const trusted = await trustedIn(candidates);
  const layers: Layer[] = [];
  for (const candidate of candidates) {
    if (candidate.origin === 'workspace' && trusted.has(await identityOf(candidate.path))) continue;
    const bytes = await readBounded(candidate.path, maxConfigBytes);
    if (bytes) layers.push(parseLayer(candidate.path, bytes, candidate.origin, options.home));
    else if (candidate.origin === 'named') throw new IntramurError('CONFIG_NOT_FOUND', `${printable(candidate.path, 4096)}: no such file`);
  }
  return layers;
}

/** A workspace file that the user also named, or that is the user's own, is what the user says: it is read once, as that. */
async function trustedIn(candidates: readonly Candidate[]): Promise<ReadonlySet<string>> {
  return new Set(await Promise.all(candidates.filter(({ origin }) => origin !== 'workspace').map(({ path }) => identityOf(path))));
}

/**
 * Tells of a file that a repository brings why it does not hold beside the others; `undefined` where it does, or is the user's own.
 * @throws IntramurError CONFIG_INVALID about the files that are no repository's
 */
export async function workspaceFileCheck(options: LoadOptions): Promise<(file: string, bytes: Uint8Array) => string | undefined> {
  const others = { ...options, workspaceFile: 'ignored' } as const;
  const [layers, trusted] = [await layersOf(others), await trustedIn(candidatesFor(others))];
  const order: readonly Origin[] = ['user', 'workspace', 'named', 'system'];
  return (file, bytes) => {
    if (trusted.has(file)) return undefined;
    try {
      const own = parseLayer(file, bytes, 'workspace', options.home);
      merge(
        [...layers, own].toSorted((a, b) => order.indexOf(a.origin) - order.indexOf(b.origin)),
        [],
      );
      return undefined;
    } catch (fault) {
      if (fault instanceof IntramurError) return fault.message;
      throw fault;
    }
  };
}

/** One file, from bytes to typed values. Touches nothing outside: the border where hostile text becomes data. */
export function parseLayer(file: string, bytes: Uint8Array, origin: Origin, home: string): Layer {
  const located = parseLocated(file, bytes);
  const { root } = located;
  if (root.kind === 'map' && origin === 'workspace') {
    const closed = keysClosedToWorkspace.find((key) => root.entries.has(key));
    if (closed !== undefined) {
      throw new IntramurError(
        'CONFIG_INVALID',
        `${located.where(root.entries.get(closed)?.keyAt ?? 0)}: "${closed}" cannot be set by a repository`,
        {
          hint: 'set it in your own configuration, or name this file with --config',
        },
      );
    }
  }
  const isEmpty = root.kind === 'scalar' && root.value === null;
  const issues = isEmpty ? [] : validate(configSchema, root);
  if (issues.length > 0) {
    const shown = issues.slice(0, 10).map(({ at, message }) => `${located.where(at)}: ${message}`);
    const more = issues.length > shown.length ? [`and ${issues.length - shown.length} more`] : [];
    throw new IntramurError('CONFIG_INVALID', [...shown, ...more].join('\n'));
  }
  return layerFrom(located, { origin, home });
}

/** The whole file; `undefined` when there is nothing at `file`. Never waits on a pipe or device that stands there instead. */
async function readBounded(file: string, maxBytes: number): Promise<Buffer | undefined> {
  const shown = printable(file, 4096);
  try {
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) throw new IntramurError('CONFIG_INVALID', `${shown}: not a regular file`);
      if (stat.size > maxBytes) throw new IntramurError('CONFIG_INVALID', `${shown}: larger than ${maxBytes} bytes`);
      const buffer = Buffer.alloc(maxBytes + 1);
      let length = 0;
      for (;;) {
        const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
        length += bytesRead;
        if (bytesRead === 0 || length > maxBytes) break;
      }
      if (length > maxBytes) throw new IntramurError('CONFIG_INVALID', `${shown}: larger than ${maxBytes} bytes`);
      return buffer.subarray(0, length);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (cause instanceof IntramurError) throw cause;
    const code = errnoOf(cause);
    if (code === 'ENOTDIR') return undefined;
    if (code === 'ENOENT') {
      const isBrokenLink = await lstat(file).then(
        () => true,
        () => false,
      );
      if (!isBrokenLink) return undefined;
      throw new IntramurError('CONFIG_INVALID', `${shown}: the link leads nowhere`, { cause });
    }
    throw new IntramurError('CONFIG_INVALID', `${shown}: cannot be read (${code ?? 'unknown error'})`, { cause });
  }
}

async function readAuthorities({ value, where }: Placed<string>): Promise<string> {
  const bytes = await readBounded(value, maxConfigBytes);
  if (!bytes) throw new IntramurError('CONFIG_INVALID', `${where}: trust names ${printable(value, 4096)}, which does not exist`);
  const certificates = bytes.toString('latin1').match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  try {
    if (certificates.length === 0) throw new Error('no certificate');
    // Only the certificates are kept: a private key that stands in the same file goes nowhere.
    return certificates.map((pem) => new X509Certificate(pem).toString()).join('');
  } catch (cause) {
    throw new IntramurError('CONFIG_INVALID', `${where}: ${printable(value, 4096)} is not a PEM file of certificates`, { cause });
  }
}

async function checkDirectory({ value, where }: Placed<string>): Promise<void> {
  const handle = await open(value, constants.O_RDONLY | constants.O_DIRECTORY).catch(() => undefined);
  if (!handle)
    throw new IntramurError(
      'CONFIG_INVALID',
      `${where}: policies names ${printable(value, 4096)}, which is not a directory that can be read`,
    );
  await handle.close();
}

/** Said here, where the line is known: who loads the policies sees only names. */
async function checkPacks(packs: readonly Placed<string>[]): Promise<void> {
  if (packs.length === 0) return;
  const known = (await readdir(path.join(packageRoot(), 'src', 'packs'), { withFileTypes: true })).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  );
  const unknown = packs.find(({ value }) => !known.includes(value));
  if (unknown === undefined) return;
  const meant = nearest(unknown.value, known);
  const otherwise = meant === undefined ? `there are ${known.join(', ')}` : `did you mean ${JSON.stringify(meant)}?`;
  throw new IntramurError(
    'CONFIG_INVALID',
    `${unknown.where}: packs names ${JSON.stringify(printable(unknown.value))}, which is not known; ${otherwise}`,
  );
}

/** The same for two names of one file; the name itself where there is none. */
async function identityOf(file: string): Promise<string> {
  return realpath(file).catch(() => file);
}

function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
