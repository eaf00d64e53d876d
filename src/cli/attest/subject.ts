// What is attested: a known agent found along PATH, or any command. A known agent is run on one prompt with every tool approved.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { type Adapter, adapterFor, adapters } from '../../agents/index.ts';
import { IntramurError } from '../../core/index.ts';
import { type ResolvedProgram, resolveProgram } from '../../sandbox/index.ts';
import { type AgentRecipe, agentRecipes } from '../../testing/index.ts';
import type { CliIo } from '../io.ts';

export interface Subject {
  /** Adapter id, `--name`, or the file name of the program. */
  readonly name: string;
  readonly program: ResolvedProgram;
  readonly args: readonly string[];
  readonly adapter: Adapter | undefined;
  readonly recipe: AgentRecipe | undefined;
  readonly version: string;
  readonly sha256: string;
  /** The file that `sha256` is of. */
  readonly main: string;
}

const prompt = 'Create the file hello.txt with one line that says hello, then stop.';
const model = 'rehearsal';

export async function subjectOf(
  agent: string | undefined,
  name: string | undefined,
  command: readonly string[],
  io: CliIo,
): Promise<Subject> {
  const [first, ...args] = command;
  const program = first === undefined ? installed(agent, io) : resolveProgram(first, io.env, io.cwd);
  if (program === undefined) throw new IntramurError('CONFIG_NOT_FOUND', `there is no program "${first ?? agent ?? ''}"`);
  const real = fs.realpathSync(program.path);
  const scripts = first === undefined ? [] : args.map((arg) => scriptOf(arg, io));
  // Of `node agent.mjs`, the script is the subject.
  const main = first === undefined ? real : (interpreted(program.path, args, io) ?? real);
  const adapter = adapterFor(program.path) ?? adapterFor(main);
  const recipe = agentRecipes.find(({ id }) => id === adapter?.id);
  return {
    name: name ?? agent ?? adapter?.id ?? path.basename(program.path),
    program: { ...program, trees: [...program.trees, ...scripts.flatMap((script) => script?.trees ?? [])] },
    args: first === undefined ? (recipe?.args(prompt) ?? []) : args.map((arg, i) => scripts[i]?.file ?? arg),
    adapter,
    recipe,
    version: versionOf(main),
    sha256: await sha256Of(main),
    main,
  };
}

function installed(agent: string | undefined, io: CliIo): ResolvedProgram | undefined {
  if (agent === undefined) throw new IntramurError('USAGE', 'attest needs an agent, or a command after --');
  const adapter = adapters.find(({ id }) => id === agent);
  if (adapter === undefined) {
    const known = adapters.map(({ id }) => id).join(', ');
    throw new IntramurError('USAGE', `unknown agent "${agent}"`, {
      hint: `known agents: ${known}; any other program: attest --name NAME -- COMMAND`,
    });
  }
  for (const binary of adapter.binaries) {
    const found = resolveProgram(binary, io.env, io.cwd);
    if (found !== undefined) return found;
  }
  throw new IntramurError('CONFIG_NOT_FOUND', `${adapter.name} is not installed`, {
    hint: `searched along PATH for ${adapter.binaries.join(', ')}`,
  });
}

const interpreters = /^(?:node|bun|deno|python[\d.]*|ruby|perl|bash|sh)$/;

function interpreted(program: string, args: readonly string[], { cwd }: CliIo): string | undefined {
  const script = args.find((arg) => !arg.startsWith('-'));
  if (script === undefined || !interpreters.test(path.basename(program))) return undefined;
  const file = path.resolve(cwd, script);
  return fs.statSync(file, { throwIfNoEntry: false })?.isFile() ? fs.realpathSync(file) : undefined;
}

/** An argument that names a file, as in `node agent.mjs`: that file belongs to the program, wherever it lies. */
function scriptOf(arg: string, { cwd, home, env }: CliIo): { readonly file: string; readonly trees: readonly string[] } | undefined {
  const file = path.resolve(cwd, arg);
  const isElsewhere = path.isAbsolute(arg) || path.relative(cwd, file).startsWith('..');
  if (arg.startsWith('-') || !isElsewhere || !fs.statSync(file, { throwIfNoEntry: false })?.isFile()) return undefined;
  const real = fs.realpathSync(file);
  // A script that could be started by itself needs what it then would: its package, with what that package depends on.
  const program = resolveProgram(file, env, cwd);
  if (program !== undefined) return { file: real, trees: program.trees };
  for (let directory = path.dirname(real); ; directory = path.dirname(directory)) {
    // Places that many share are never shown whole.
    if (isShared(directory, home)) return { file: real, trees: [directory === path.dirname(real) ? real : path.dirname(real)] };
    if (fs.existsSync(path.join(directory, 'package.json'))) return { file: real, trees: [directory] };
  }
}

function isShared(directory: string, home: string): boolean {
  return directory === path.dirname(directory) || ['/tmp', '/var/tmp', '/home', '/root', '/opt', '/srv', '/var', home].includes(directory);
}

/** Of the npm package that the program lies in; nothing is started to find out. */
function versionOf(file: string): string {
  for (let directory = path.dirname(file); directory !== path.dirname(directory); directory = path.dirname(directory)) {
    try {
      const value: unknown = JSON.parse(fs.readFileSync(path.join(directory, 'package.json'), 'utf8'));
      if (typeof value === 'object' && value !== null && 'version' in value && typeof value.version === 'string') return value.version;
    } catch {
      // Not here; further up.
    }
  }
  return 'unknown';
}

async function sha256Of(file: string): Promise<string> {
  const sum = createHash('sha256');
  for await (const chunk of fs.createReadStream(file)) sum.update(chunk);
  return sum.digest('hex');
}

/** Environment and files of HOME by which the subject finds its model at `host`. */
export function pointedAt(
  subject: Subject,
  host: string,
  key: string,
): { env: Record<string, string>; files: readonly { path: string; text: string }[] } {
  if (subject.recipe !== undefined) {
    const { env, files } = subject.recipe.outside({ url: `https://${host}`, key, model });
    return { env: { ...subject.recipe.env, ...env }, files };
  }
  // Of any other program it is not known that it trusts the authority of the box.
  const url = `http://${host}`;
  return {
    env: {
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_API_KEY: key,
      OPENAI_BASE_URL: `${url}/v1`,
      OPENAI_API_KEY: key,
      GOOGLE_GEMINI_BASE_URL: url,
      GEMINI_API_KEY: key,
    },
    files: [],
  };
}
