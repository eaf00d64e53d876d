// The index on disk, under `fingerprints/` of the state directory: a secret, the list of repositories, each repository's keys file by
// file (so that a later build reads only what changed), and the table that sessions load. No source text is stored.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { type Classification, classificationRank, classifications, codeOf, IntramurError, product } from '../../core/index.ts';
import type { Background } from './background.ts';
import { extractor } from './extract.ts';
import { readIfThere, secretOf, writeWhole } from './files.ts';
import type { FingerprintIndex, SourceDocument } from './index-file.ts';
import { keyer } from './keyer.ts';
import { type FileKeys, readKeys, writeKeys } from './keys-file.ts';
import { isDirectory, readSource, repositoryFiles } from './repository-files.ts';
import { seal, unsealFile } from './sealed.ts';
import { buildTable, openTable, type Table } from './table.ts';

export interface RepositoryEntry {
  readonly name: string;
  readonly path: string;
  readonly classification: Classification;
  /** Narrower classes for parts, first match wins: a path or the beginning of one. */
  readonly parts: readonly { readonly prefix: string; readonly classification: Classification }[];
  readonly files: number;
  readonly lines: number;
  readonly entries: number;
  /** Its share of the table. */
  readonly bytes: number;
  /** RFC 3339; `undefined` before the first build. */
  readonly builtAt?: string;
}

export interface FingerprintStore {
  list(): readonly RepositoryEntry[];
  /** @returns what was registered under this name before */
  add(entry: Pick<RepositoryEntry, 'name' | 'path' | 'classification' | 'parts'>): RepositoryEntry | undefined;
  remove(name: string): boolean;
  /** @returns repositories that are not where they were: of those the table keeps what was read last */
  build(options: BuildOptions): readonly RepositoryEntry[];
  /** `undefined` before the first build; half an index is a fault, not none. */
  load(): FingerprintIndex | undefined;
  exportTo(file: string): void;
  importFrom(file: string): void;
}

export interface BuildOptions {
  readonly background: Background;
  now(): Date;
  onProgress?(repository: string, done: number, total: number): void;
}

const SCHEMA = 'intramur/fingerprints/1';

export function fingerprintStore(directory: string): FingerprintStore {
  const at = (name: string) => path.join(directory, name);
  const keysFile = (name: string) => at(`${crypto.hash('sha256', name).slice(0, 16)}.keys`);

  const list = (): RepositoryEntry[] => {
    const text = readIfThere(at('repositories.json'));
    try {
      return text === undefined ? [] : parseList(text.toString());
    } catch (fault) {
      // No build mends it: only the list says where the repositories lie.
      throw withHint(fault, listAnew(at('repositories.json'), knownNames(readIfThere(at('documents.json')))));
    }
  };
  /** What makes an index whole again that does not load. */
  const mending = (): string => {
    const repositories = list();
    if (repositories.some((entry) => entry.path === '')) return `${product.name} index import FILE, with a good export`;
    return repositories.length === 0
      ? `${product.name} index add REPO --classification C, for each repository, then: ${product.name} index build`
      : `${product.name} index build`;
  };
  const saveList = (repositories: readonly RepositoryEntry[]) => {
    writeWhole(at('repositories.json'), [Buffer.from(`${JSON.stringify({ schema: SCHEMA, repositories }, null, 2)}\n`)]);
  };
  const secret = () => secretOf(directory);

  return {
    list,
    add(entry) {
      const before = list();
      const others = before.filter(({ name }) => name !== entry.name);
      saveList([...others, { ...entry, files: 0, lines: 0, entries: 0, bytes: 0 }].toSorted((a, b) => (a.name < b.name ? -1 : 1)));
      return before.find(({ name }) => name === entry.name);
    },
    remove(name) {
      const before = list();
      const after = before.filter((entry) => entry.name !== name);
      fs.rmSync(keysFile(name), { force: true });
      if (after.length < before.length) saveList(after);
      return after.length < before.length;
    },
    build({ background, now, onProgress }) {
      if (list().some((entry) => entry.path === '')) {
        throw new IntramurError('USAGE', 'this index was imported; it is built where its repositories are', {
          hint: 'or remove what was imported',
        });
      }
      const secretBytes = secret();
      const extract = extractor(keyer(secretBytes), background).extract;
      const built = list().map((entry) => {
        const last = readKeys(keysFile(entry.name), secretBytes) ?? [];
        // Source that was ours stays ours when its directory is gone.
        if (!isDirectory(entry.path)) return { entry, files: last, isMissing: true };
        const known = new Map(last.map((file) => [file.sha256, file]));
        const files: FileKeys[] = [];
        const names = repositoryFiles(entry.path);
        names.forEach((name, i) => {
          if (i % 64 === 0) onProgress?.(entry.name, i, names.length);
          const bytes = readSource(entry.path, name);
          if (!bytes) return;
          const sha256 = crypto.hash('sha256', bytes, 'hex');
          const before = known.get(sha256);
          files.push(before ? { ...before, path: name } : { path: name, sha256, ...extract(bytes) });
        });
        onProgress?.(entry.name, names.length, names.length);
        writeKeys(keysFile(entry.name), secretBytes, files);
        return { entry, files, isMissing: false };
      });
      const { table, documents } = assemble(built);
      const version = crypto.randomUUID();
      writeWhole(at('table.bin'), seal(secretBytes, 'table', new Uint8Array(table.memory)));
      writeWhole(at('documents.json'), [Buffer.from(JSON.stringify({ schema: SCHEMA, version, documents }))]);
      const builtAt = now().toISOString();
      const total = Math.max(
        1,
        built.reduce((sum, { files }) => sum + entriesOf(files), 0),
      );
      saveList(
        built.map(({ entry, files, isMissing }) => ({
          ...entry,
          files: files.length,
          lines: files.reduce((sum, file) => sum + file.lines, 0),
          entries: entriesOf(files),
          bytes: Math.round((table.memory.byteLength * entriesOf(files)) / total),
          ...(isMissing ? {} : { builtAt }),
        })),
      );
      return built.filter(({ isMissing }) => isMissing).map(({ entry }) => entry);
    },
    load() {
      const text = readIfThere(at('documents.json'));
      const known = readIfThere(at('secret'));
      const hasTable = fs.existsSync(at('table.bin'));
      if (!text && !hasTable) return undefined;
      try {
        if (!text || !known || !hasTable) throw broken('a part');
        const { version, documents } = parseDocuments(text.toString());
        return { table: loadTable(known, at('table.bin')), secret: known, documents, version };
      } catch (fault) {
        throw codeOf(fault) === 'INDEX_BROKEN' ? withHint(fault, mending()) : fault;
      }
    },
    exportTo(file) {
      const parts = exported.map((name) => [name, name === 'repositories.json' ? withoutPaths(list()) : readIfThere(at(name))] as const);
      if (parts.some(([, bytes]) => bytes === undefined))
        throw new IntramurError('CONFIG_NOT_FOUND', 'there is no index to export', { hint: 'run `index build` first' });
      const sizes = parts.map(([name, bytes]) => ({ name, bytes: bytes?.length ?? 0 }));
      writeWhole(file, [
        Buffer.from(`${JSON.stringify({ schema: SCHEMA, parts: sizes })}\n`),
        ...parts.map(([, bytes]) => bytes ?? Buffer.alloc(0)),
      ]);
    },
    importFrom(file) {
      const bytes = fs.readFileSync(file);
      for (const [name, part] of splitExport(bytes)) writeWhole(at(name), [part]);
      loadTable(secret(), at('table.bin'));
    },
  };
}

/** What an export holds. With the secret it can be searched, so it is as confidential as the index itself. */
const exported = ['secret', 'repositories.json', 'documents.json', 'table.bin'] as const;

/** Where the repositories lie on this machine is nobody else's business. */
function withoutPaths(repositories: readonly RepositoryEntry[]): Buffer {
  return Buffer.from(JSON.stringify({ schema: SCHEMA, repositories: repositories.map((entry) => ({ ...entry, path: '' })) }));
}

function splitExport(bytes: Buffer): [string, Buffer][] {
  const headerEnd = bytes.indexOf(0x0a);
  const header: unknown = parseJson(bytes.toString('utf8', 0, Math.max(0, headerEnd)), 'the export');
  if (!isRecord(header) || header['schema'] !== SCHEMA || !Array.isArray(header['parts'])) throw broken('the export');
  let position = headerEnd + 1;
  const parts: [string, Buffer][] = header['parts'].map((part: unknown) => {
    const name = isRecord(part) ? exported.find((known) => known === part['name']) : undefined;
    const size = isRecord(part) && typeof part['bytes'] === 'number' ? part['bytes'] : -1;
    if (name === undefined || size < 0 || position + size > bytes.length) throw broken('the export');
    position += size;
    return [name, bytes.subarray(position - size, position)];
  });
  if (parts.length !== exported.length) throw broken('the export');
  return parts;
}

function entriesOf(files: readonly FileKeys[]): number {
  return files.reduce((sum, file) => sum + file.keys.low.length, 0);
}

function assemble(built: readonly { entry: RepositoryEntry; files: readonly FileKeys[] }[]): { table: Table; documents: SourceDocument[] } {
  const documents: SourceDocument[] = [];
  const parts: { keys: FileKeys['keys']; document: number }[] = [];
  for (const { entry, files } of built) {
    for (const file of files) {
      const classification = entry.parts.find(({ prefix }) => file.path.startsWith(prefix))?.classification ?? entry.classification;
      documents.push({ repository: entry.name, path: file.path, classification });
      parts.push({ keys: file.keys, document: documents.length });
    }
  }
  const rank = (document: number) => weightOf(documents[document - 1]?.classification ?? 'public');
  const total = parts.reduce((sum, part) => sum + part.keys.low.length, 0);
  return { table: buildTable(parts, total, (held, later) => rank(later) > rank(held)), documents };
}

/** Which class a key keeps that several documents share. What the company publishes itself is public wherever else it stands. */
function weightOf(classification: Classification): number {
  return classification === 'public' ? classifications.length : classificationRank(classification);
}

function loadTable(secret: Uint8Array, file: string): Table {
  try {
    return openTable(unsealFile(secret, 'table', file));
  } catch (cause) {
    throw cause instanceof TypeError || cause instanceof RangeError ? broken(file) : cause;
  }
}

function parseList(text: string): RepositoryEntry[] {
  const parsed = parseJson(text, 'repositories.json');
  if (!isRecord(parsed) || parsed['schema'] !== SCHEMA || !Array.isArray(parsed['repositories'])) throw broken('repositories.json');
  return parsed['repositories'].map((entry: unknown) => {
    if (!isRecord(entry)) throw broken('repositories.json');
    const { name, path: root, files, lines, entries, bytes, builtAt } = entry;
    const classification = classificationOf(entry['classification']);
    if (typeof name !== 'string' || typeof root !== 'string') throw broken('repositories.json');
    const parts = Array.isArray(entry['parts']) ? entry['parts'].map(partOf) : [];
    const number = (value: unknown) => (typeof value === 'number' ? value : 0);
    return {
      name,
      path: root,
      classification,
      parts,
      files: number(files),
      lines: number(lines),
      entries: number(entries),
      bytes: number(bytes),
      ...(typeof builtAt === 'string' ? { builtAt } : {}),
    };
  });
}

function partOf(part: unknown): RepositoryEntry['parts'][number] {
  if (!isRecord(part) || typeof part['prefix'] !== 'string') throw broken('repositories.json');
  return { prefix: part['prefix'], classification: classificationOf(part['classification']) };
}

function parseDocuments(text: string): { version: string; documents: SourceDocument[] } {
  const parsed = parseJson(text, 'documents.json');
  if (!isRecord(parsed) || typeof parsed['version'] !== 'string' || !Array.isArray(parsed['documents'])) throw broken('documents.json');
  const documents = parsed['documents'].map((document: unknown) => {
    if (!isRecord(document) || typeof document['repository'] !== 'string' || typeof document['path'] !== 'string')
      throw broken('documents.json');
    return { repository: document['repository'], path: document['path'], classification: classificationOf(document['classification']) };
  });
  return { version: parsed['version'], documents };
}

function classificationOf(value: unknown): Classification {
  const found = classifications.find((known) => known === value);
  if (!found) throw broken('the index');
  return found;
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw broken(what);
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function broken(what: string): IntramurError {
  return new IntramurError('INDEX_BROKEN', `${what} of the fingerprint index is broken`);
}

function withHint(fault: unknown, hint: string): unknown {
  return fault instanceof IntramurError ? new IntramurError(fault.code, fault.message, { cause: fault.cause, hint }) : fault;
}

function listAnew(file: string, names: readonly string[]): string {
  const which = names.length === 0 ? 'each repository' : names.join(', ');
  return `move ${file} away, register ${which} anew (${product.name} index add REPO --classification C), then: ${product.name} index build`;
}

/** The repositories that the last build has read. */
function knownNames(documents: Buffer | undefined): string[] {
  try {
    const found = documents === undefined ? [] : parseDocuments(documents.toString()).documents;
    return [...new Map(found.map(({ repository, classification }) => [repository, `${repository} (${classification})`])).values()];
  } catch {
    return [];
  }
}
