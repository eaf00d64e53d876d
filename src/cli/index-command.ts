// `intramur index`: the company's own source as keyed fingerprints, built by hand or by CI, read by every inspection.
import fs from 'node:fs';
import path from 'node:path';
import {
  type Classification,
  classificationRank,
  classifications,
  codeOf,
  highestClassification,
  IntramurError,
  placesFrom,
  product,
} from '../core/index.ts';
import {
  type DataStore,
  dataStore,
  type FingerprintStore,
  fingerprintStore,
  loadBackground,
  type RepositoryEntry,
} from '../inspect/index.ts';
import type { CliIo } from './io.ts';
import { jsonOption, many, type Options, parseOptions } from './options.ts';

const SCHEMA = 'intramur/index/1';
const usage =
  'index add REPO --classification C [--name N] [--part PREFIX=C] | add TABLE.csv --classification C --columns A[,B] [--with C[,D]] [--name N] | list [--json] | remove NAME | build | export FILE | import FILE';

const named = {
  ...jsonOption,
  classification: { type: 'string', value: 'C', does: `one of ${classifications.join(', ')}` },
  name: { type: 'string', value: 'N', does: 'by default the name of the directory or file' },
} as const satisfies Options;
const ofRepository = {
  part: { type: 'string', multiple: true, value: 'PREFIX=C', does: 'another class for a part of it' },
} as const satisfies Options;
const ofTable = {
  columns: { type: 'string', value: 'A,B', does: 'whose value names one person' },
  with: { type: 'string', value: 'C,D', does: 'what counts only beside one of those' },
} as const satisfies Options;
export const forms = {
  'add REPO': { ...named, ...ofRepository },
  'add TABLE.csv': { ...named, ...ofTable },
  list: jsonOption,
  'remove NAME': jsonOption,
  build: jsonOption,
  'export FILE': jsonOption,
  'import FILE': jsonOption,
};

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parse(args);
  const directory = placesFrom(io.env, io.home).fingerprints;
  const store = fingerprintStore(directory);
  const tables = dataStore(directory);
  const code = perform(positionals, values, { store, tables }, io);
  // Every verb says in JSON what is now registered.
  if (values.json && positionals[0] !== 'list') list(store, tables, true, io);
  return code;
}

type Values = ReturnType<typeof parse>['values'];

function perform(
  [verb, target, ...rest]: readonly string[],
  values: Values,
  { store, tables }: { readonly store: FingerprintStore; readonly tables: DataStore },
  io: CliIo,
): number {
  if (rest.length > 0) throw wrong(`"${rest[0]}" is one argument too many`);
  switch (verb) {
    case 'add':
      return isFile(resolved(target, io))
        ? addTable(tables, resolved(target, io), values, io)
        : add(store, resolved(target, io), values, io);
    case 'list':
      return list(store, tables, values.json, io);
    case 'remove':
      if (target === undefined) throw wrong('index remove needs the name of a repository or table');
      if (!store.remove(target) && !tables.remove(target))
        throw new IntramurError('CONFIG_NOT_FOUND', `no repository or table "${target}" is registered`, {
          hint: `${product.name} index list`,
        });
      io.stderr.write(`removed ${target}; the next \`index build\` takes it out of the table\n`);
      return 0;
    case 'build':
      return build(store, tables, io);
    case 'export':
      store.exportTo(fileOf(target, io));
      return 0;
    case 'import':
      return importFrom(store, fileOf(target, io));
    default:
      throw wrong(verb === undefined ? 'index needs a verb' : `unknown verb "${verb}"`);
  }
}

function parse(args: readonly string[]) {
  return parseOptions(args, { ...named, ...ofRepository, ...ofTable }, many);
}

function wrong(message: string): IntramurError {
  return new IntramurError('USAGE', message, { hint: `${product.name} ${usage}` });
}

function resolved(target: string | undefined, io: CliIo): string {
  if (target === undefined) throw wrong('a path is missing');
  return path.resolve(io.cwd, target);
}

function fileOf(target: string | undefined, io: CliIo): string {
  const file = resolved(target, io);
  if (fs.statSync(file, { throwIfNoEntry: false })?.isDirectory())
    throw new IntramurError('USAGE', `${file} is a directory; an export is one file`);
  return file;
}

function isFile(target: string): boolean {
  return fs.statSync(target, { throwIfNoEntry: false })?.isFile() === true;
}

/** A table of people: its values are looked for wherever they stand. */
function addTable(tables: DataStore, file: string, values: Values, io: CliIo): number {
  const classification = classificationOf(values.classification);
  const names = (text: string | undefined) => (text ?? '').split(',').flatMap((name) => name.trim() || []);
  const columns = names(values.columns);
  if (columns.length === 0) throw wrong('a table needs --columns: those whose value names one person, such as an e-mail address');
  if (values.part) throw wrong('--part is for repositories');
  const name = nameOf(values.name ?? path.basename(file, path.extname(file)));
  const before = tables.add({ name, path: file, classification, columns, with: names(values.with) });
  sayLowered(name, before && [before.classification], [classification], io);
  io.stderr.write(`registered the table ${name} as ${classification}; \`index build\` reads it\n`);
  return 0;
}

function add(store: FingerprintStore, root: string, values: Values, io: CliIo): number {
  if (values.columns ?? values.with) throw wrong('--columns and --with are for tables');
  const classification = classificationOf(values.classification);
  const name = nameOf(values.name ?? path.basename(root));
  const parts = (values.part ?? []).map((part) => {
    const at = part.lastIndexOf('=');
    if (at <= 0) throw wrong(`--part is PREFIX=CLASSIFICATION, not "${part}"`);
    return { prefix: part.slice(0, at), classification: classificationOf(part.slice(at + 1)) };
  });
  if (!fs.statSync(root, { throwIfNoEntry: false })?.isDirectory()) throw new IntramurError('CONFIG_NOT_FOUND', `${root} is no directory`);
  const before = store.add({ name, path: root, classification, parts });
  const classes = (entry: Pick<RepositoryEntry, 'classification' | 'parts'>) => [
    entry.classification,
    ...entry.parts.map((part) => part.classification),
  ];
  sayLowered(name, before && classes(before), classes({ classification, parts }), io);
  io.stderr.write(`registered ${name} as ${classification}; \`index build\` reads it\n`);
  return 0;
}

/** It stands in findings and on the command line. */
function nameOf(name: string): string {
  if (name.trim() === '' || /[\p{Cc}\p{Cf}\u2028\u2029]/u.test(name))
    throw wrong(`--name ${JSON.stringify(name)} is no name: it needs characters that can be seen, and no others`);
  return name;
}

/** Lowering a class lets out what stayed in: whoever does it by mistake should see it. */
function sayLowered(name: string, before: readonly Classification[] | undefined, after: readonly Classification[], io: CliIo): void {
  const [was, is] = [before ?? [], after].map((all) => all.reduce(highestClassification, 'public')) as [Classification, Classification];
  if (before && classificationRank(is) < classificationRank(was))
    io.stderr.write(`${product.name}: ${name} was registered as ${was}; it is lowered to ${is}\n`);
}

function classificationOf(word: string | undefined): Classification {
  const found = classifications.find((known) => known === word);
  if (!found) throw wrong(`--classification is one of ${classifications.join(', ')}`);
  return found;
}

function list(store: FingerprintStore, data: DataStore, isJson: boolean, io: CliIo): number {
  const repositories = store.list();
  const tables = data.list();
  if (isJson) {
    const rows = repositories.map(({ name, path: root, classification, files, lines, entries, bytes, builtAt }) => {
      return { name, path: root, classification, files, lines, entries, bytes, builtAt: builtAt ?? null };
    });
    const about = tables.map((table) => ({ ...table, builtAt: table.builtAt ?? null }));
    const listed = { schema: SCHEMA, repositories: rows, ...(tables.length > 0 ? { tables: about } : {}) };
    io.stdout.write(`${JSON.stringify(listed)}\n`);
    return 0;
  }
  for (const { name, classification, files, lines, builtAt } of repositories) {
    io.stdout.write(
      `${name.padEnd(24)} ${classification.padEnd(12)} ${builtAt ? `${files} files, ${lines} lines, built ${builtAt}` : 'not built yet'}\n`,
    );
  }
  for (const { name, classification, rows, values, builtAt } of tables) {
    io.stdout.write(
      `${name.padEnd(24)} ${classification.padEnd(12)} ${builtAt ? `${rows} rows, ${values} values, built ${builtAt}` : 'not built yet'}\n`,
    );
  }
  if (repositories.length + tables.length === 0) io.stdout.write('no repository is registered\n');
  return 0;
}

function build(store: FingerprintStore, tables: DataStore, io: CliIo): number {
  const isTerminal = 'isTTY' in io.stderr && io.stderr.isTTY === true;
  const missing = store.build({
    background: loadBackground(),
    now: () => new Date(),
    ...(isTerminal ? { onProgress: (name, done, total) => void io.stderr.write(`\r${name}: ${done}/${total} files\x1b[K`) } : {}),
  });
  if (isTerminal) io.stderr.write('\r\x1b[K');
  const isEveryTableThere = buildTables(tables, io);
  const repositories = store.list();
  const sum = (of: (entry: (typeof repositories)[number]) => number) => repositories.reduce((total, entry) => total + of(entry), 0);
  io.stderr.write(
    `${repositories.length} repositories, ${sum((r) => r.files)} files, ${sum((r) => r.lines)} lines, ${sum((r) => r.entries)} fingerprints, ${sum((r) => r.bytes)} bytes\n`,
  );
  for (const { name, rows, values } of tables.list()) io.stderr.write(`table ${name}: ${rows} rows, ${values} values\n`);
  for (const { name, path: root } of missing)
    io.stderr.write(
      `${product.name}: ${name} is missing: ${root} is no directory; what was read of it before is kept until \`index remove ${name}\`\n`,
    );
  return missing.length === 0 && isEveryTableThere ? 0 : 1;
}

/** All tables are one index, so one that is not there leaves it as it was. */
function buildTables(tables: DataStore, io: CliIo): boolean {
  try {
    tables.build(() => new Date());
    return true;
  } catch (fault) {
    if (codeOf(fault) !== 'CONFIG_NOT_FOUND' || !(fault instanceof Error)) throw fault;
    io.stderr.write(`${product.name}: ${fault.message}; the tables stay as they were\n`);
    if (fault instanceof IntramurError && fault.hint) io.stderr.write(`${' '.repeat(product.name.length + 2)}or ${fault.hint}\n`);
    return false;
  }
}

function importFrom(store: FingerprintStore, file: string): number {
  const own = store.list().filter(({ path: root }) => root !== '');
  if (own.length > 0) {
    throw new IntramurError('USAGE', 'this installation has repositories of its own; an import would replace them', {
      hint: `remove them first: ${own.map(({ name }) => name).join(', ')}`,
    });
  }
  store.importFrom(file);
  return 0;
}
