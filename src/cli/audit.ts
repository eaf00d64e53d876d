// `audit`: finds agents and MCP servers, says what each may really do and who said so. Passive: starts nothing, connects nowhere.
import fs from 'node:fs';
import path from 'node:path';
import {
  type AuditReport,
  ask,
  conclude,
  cyclonedxReport,
  type Facts,
  type GitPlace,
  gather,
  htmlReport,
  isDirectoryInside,
  jsonReport,
  type Probed,
  parseBaseline,
  parseQuestions,
  sarifReport,
  severities,
  severityRank,
  textReport,
  withoutKnown,
} from '../audit/index.ts';
import {
  classificationOf,
  loadConfig,
  parseRemote,
  type Repository,
  readRegister,
  registerFileIn,
  workspaceFileCheck,
} from '../config/index.ts';
import { IntramurError, placesFrom, product } from '../core/index.ts';
import { driftedIn } from './audit/drifted.ts';
import { progressBar } from './audit/progress.ts';
import type { CliIo } from './io.ts';
import { many, type Options, parseOptions } from './options.ts';

const formats = ['text', 'json', 'sarif', 'html', 'cyclonedx'] as const;
type Format = (typeof formats)[number];

const options = {
  home: { type: 'string', value: 'DIR', does: "another home, as if it were this user's" },
  root: { type: 'string', value: 'DIR', does: 'another file system: an image, a mounted disk' },
  format: { type: 'string', value: 'FORMAT', does: `one of ${formats.join(', ')}` },
  json: { type: 'boolean', default: false, does: 'short for --format json' },
  out: { type: 'string', value: 'FILE', does: 'instead of standard output' },
  'fail-on': { type: 'string', value: 'SEVERITY', does: 'exit 1 for a finding at or above it' },
  ask: { type: 'string', value: '-', does: 'answer JSON lines of what an agent may do' },
  baseline: { type: 'string', value: 'FILE', does: 'what is known already fails nothing' },
  probe: { type: 'boolean', default: false, does: 'start the agents, boxed, and ask them for what is forbidden' },
  pin: { type: 'boolean', default: false, does: 'pin what this repository brings for agents' },
  fix: { type: 'boolean', default: false, does: 'mend what can be mended, with a copy' },
  yes: { type: 'boolean', default: false, does: 'mend without asking' },
  'forbid-jurisdiction': { type: 'string', multiple: true, value: 'CC', does: 'agents of vendors there are findings' },
} as const satisfies Options;
export const forms = { '': options };

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseOptions(args, options, many);
  refuseConflicts(values);
  if (values.probe && values.root !== undefined)
    throw new IntramurError('USAGE', '--probe starts the agents of this machine, and --root is another');
  if (values.fix && values.root !== undefined)
    throw new IntramurError('USAGE', '--fix changes files of this machine, and --root is another');
  if (values.pin) {
    const { pin } = await import('./audit/pin.ts');
    return await pin(positionals, values.json || values.format === 'json', io);
  }
  const format = values.json ? 'json' : oneOf(formats, values.format ?? 'text', '--format');
  const failOn = values['fail-on'] === undefined ? undefined : oneOf(severities, values['fail-on'], '--fail-on');
  if (values.root !== undefined) mustExist(values.root, { cwd: io.cwd, root: undefined });
  for (const dir of values.home === undefined ? positionals : [values.home, ...positionals])
    mustExist(dir, { cwd: io.cwd, root: values.root });
  const loading = { env: io.env, home: io.home, cwd: io.cwd, systemDir: placesFrom(io.env, io.home).system };
  const config = await loadConfig({ ...loading, workspaceFile: 'if-it-holds' });
  const bar = progressBar(io);
  const known = values.baseline === undefined ? undefined : parseBaseline(readGiven(values.baseline, io.cwd), values.baseline);
  const asked = {
    pins: known?.pins,
    root: values.root,
    home: values.home,
    dirs: positionals,
    userHome: io.home,
    cwd: io.cwd,
    env: io.env,
    tools: config.tools,
    checkBrought: await workspaceFileCheck(loading),
    checkPins: values.root === undefined ? (dirs: readonly string[]) => driftedIn(dirs, placesFrom(io.env, io.home).state) : undefined,
    register: readRegister(registerFileIn(placesFrom(io.env, io.home).state)),
    forbiddenJurisdictions: (values['forbid-jurisdiction'] ?? []).map(jurisdictionOf),
    classify:
      config.repositories.length === 0
        ? undefined
        : (workspace: string, git: Pick<GitPlace, 'trees' | 'urls'>) => classificationOf(config, repositoryFrom(workspace, git)),
    // Layers that nobody applied yet: agents fill them.
    last: [path.join(placesFrom(io.env, io.home).state, 'sessions')],
    onProgress: bar?.show,
  };
  if (values.ask !== undefined) {
    const answers = ask(asked, parseQuestions(await questionsFrom(values.ask, io)));
    io.stdout.write(`${JSON.stringify(answers, undefined, 2)}\n`);
    return 0;
  }
  const started = performance.now();
  let gathered: Facts;
  try {
    gathered = gather(asked);
  } finally {
    bar?.end();
  }
  if (values.fix) {
    const { fix } = await import('./audit/fix.ts');
    return await fix(gathered, values.yes, io, placesFrom(io.env, io.home));
  }
  const done = conclude(values.probe ? { ...gathered, probed: await probed(gathered, positionals, io) } : gathered, started);
  const now = Date.now();
  const whole = jsonReport(done, now);
  const report = known === undefined ? whole : withoutKnown(whole, known);
  const colour = values.out === undefined && 'isTTY' in io.stdout && io.stdout.isTTY === true && !io.env['NO_COLOR'];
  const [home = io.home] = done.facts.homes;
  const text = render[format](report, {
    now,
    colour,
    home,
    base: positionals.length === 1 ? path.resolve(io.cwd, positionals[0] ?? '') : '/',
  });
  if (values.out === undefined) io.stdout.write(text);
  else fs.writeFileSync(path.resolve(io.cwd, values.out), text);
  return failOn !== undefined && report.findings.some(({ severity }) => severityRank(severity) >= severityRank(failOn)) ? 1 : 0;
}

type Values = ReturnType<typeof parseOptions<typeof options>>['values'];

/** What would be left out silently. @throws IntramurError USAGE */
function refuseConflicts(values: Values): void {
  const { json, format } = values;
  if (json && format !== undefined && format !== 'json')
    throw new IntramurError('USAGE', `--json is short for --format json, and --format is ${JSON.stringify(format)}: say one of them`);
  const given = (names: readonly (keyof Values)[]) => names.filter((name) => values[name] !== undefined && values[name] !== false);
  const [act, other] = given(['pin', 'fix', 'probe', 'ask']);
  if (act !== undefined && other !== undefined)
    throw new IntramurError('USAGE', `--${act} and --${other} are two things to do: say one of them`);
  const unused = {
    pin: ['home', 'root', 'out', 'fail-on', 'baseline', 'yes'],
    fix: ['format', 'json', 'out', 'fail-on', 'baseline'],
    probe: ['yes'],
    ask: ['out', 'fail-on', 'baseline', 'yes'],
  } as const;
  const [left] = act === undefined ? given(['yes']) : given(unused[act as keyof typeof unused]);
  if (act === 'ask' && format !== undefined && format !== 'json') throw new IntramurError('USAGE', 'the answers of --ask are JSON');
  if (left !== undefined)
    throw new IntramurError('USAGE', act === undefined ? '--yes is for --fix' : `--${left} does nothing beside --${act}`);
}

/** Loaded only when it was asked for: nothing else of the audit can start anything. */
async function probed(facts: Facts, dirs: readonly string[], io: CliIo): Promise<Probed> {
  const { probe } = await import('./probe/probe.ts');
  const workspaces = (dirs.length === 0 ? [io.cwd] : dirs.map((dir) => path.resolve(io.cwd, dir))).map((dir) => fs.realpathSync(dir));
  return await probe(facts, workspaces, io, placesFrom(io.env, io.home), (line) => io.stderr.write(`${product.name}: ${line}\n`));
}

function repositoryFrom(workspace: string, { trees, urls }: Pick<GitPlace, 'trees' | 'urls'>): Repository {
  const remotes = urls.flatMap((url) => parseRemote(url) ?? []);
  const [top = workspace] = trees;
  return {
    paths: [workspace, ...trees, ...remotes.flatMap(({ kind, name }) => (kind === 'path' ? [path.resolve(top, name)] : []))],
    remotes: remotes.flatMap(({ kind, name }) => (kind === 'host' ? [name] : [])),
  };
}

interface Rendering {
  readonly now: number;
  readonly colour: boolean;
  readonly home: string;
  readonly base: string;
}

const render: Readonly<Record<Format, (report: AuditReport, rendering: Rendering) => string>> = {
  text: (report, { colour, home }) => textReport(report, { colour, home }),
  json: (report) => asJson(report),
  sarif: (report, { base }) => asJson(sarifReport(report, base)),
  cyclonedx: (report, { now }) => asJson(cyclonedxReport(report, now)),
  html: (report, { now }) => htmlReport(report, now),
};

function asJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function readGiven(file: string, cwd: string): string {
  try {
    return fs.readFileSync(path.resolve(cwd, file), 'utf8');
  } catch (cause) {
    throw new IntramurError('CONFIG_NOT_FOUND', `${file}: cannot be read`, { cause });
  }
}

/** `-` is standard input. */
async function questionsFrom(place: string, io: CliIo): Promise<string> {
  if (place !== '-') return readGiven(place, io.cwd);
  const chunks: Buffer[] = [];
  for await (const chunk of io.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

function oneOf<T extends string>(all: readonly T[], value: string, option: string): T {
  const found = all.find((one) => one === value);
  if (found === undefined) throw new IntramurError('USAGE', `${option}: "${value}" is none of ${all.join(', ')}`);
  return found;
}

/** As the catalogue writes it: one that is written otherwise would match nobody. @throws IntramurError USAGE */
function jurisdictionOf(text: string): string {
  if (/^[a-z]{2}$/i.test(text)) return text.toUpperCase();
  if (text.toLowerCase() === 'unknown') return 'unknown';
  throw new IntramurError(
    'USAGE',
    `--forbid-jurisdiction ${JSON.stringify(text)} is no country in two letters, as in CN, and not "unknown"`,
    {
      hint: 'for several countries it is given several times',
    },
  );
}

/** A place that is not there is a mistake of the caller, not a clean audit. */
function mustExist(dir: string, from: { readonly cwd: string; readonly root: string | undefined }): void {
  // The name that is too long is the system's to tell.
  if (from.root === undefined) fs.statSync(path.resolve(from.cwd, dir), { throwIfNoEntry: false });
  if (dir === '' || !isDirectoryInside(dir, from)) throw new IntramurError('USAGE', `${dir === '' ? '""' : dir}: no such directory`);
}
