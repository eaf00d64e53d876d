#!/usr/bin/env node
// The command line's first file, and for `--version` the only one: each command stands behind one `await import()`.
import { productName, productTitle } from '../core/product.ts';
import { version } from '../core/version.ts';
import type { CliIo } from './io.ts';
import type { Forms } from './options.ts';

interface Command {
  readonly usage: string;
  readonly does: string;
  load(): Promise<{ readonly forms: Forms; run(args: readonly string[], io: CliIo): Promise<number> }>;
}

const commands: Readonly<Record<string, Command>> = {
  run: { usage: 'run [options] -- COMMAND [ARG…]', does: 'run a program, unmodified, in the sandbox', load: () => import('./run.ts') },
  diff: { usage: 'diff [SESSION]', does: 'what a session changed, not yet in the workspace', load: () => import('./diff.ts') },
  apply: {
    usage: 'apply [SESSION] [--only PATH…]',
    does: 'bring what a session changed into the workspace',
    load: () => import('./apply.ts'),
  },
  discard: { usage: 'discard [SESSION] [--only PATH…]', does: 'forget what a session changed', load: () => import('./discard.ts') },
  audit: { usage: 'audit [DIR…]', does: 'which agents are here and what they may do; starts nothing', load: () => import('./audit.ts') },
  managed: {
    usage: 'managed emit --agent ID [--diff]',
    does: "an agent's managed settings that follow from the policy",
    load: () => import('./managed.ts'),
  },
  agents: {
    usage: 'agents list|ban|vet|pin AGENT',
    does: 'the register of tools: what may run, what may not, and who said so',
    load: () => import('./agents.ts'),
  },
  attest: {
    usage: 'attest AGENT | -- COMMAND',
    does: 'does it say different things in different surroundings',
    load: () => import('./attest.ts'),
  },
  inspect: { usage: 'inspect [FILE|-]', does: 'what the monitor would find in these bytes', load: () => import('./inspect.ts') },
  index: {
    usage: 'index add|list|remove|build',
    does: "the company's own source as keyed fingerprints",
    load: () => import('./index-command.ts'),
  },
  up: { usage: 'up [--background] [--port N]', does: 'start the daemon with gateway and status page', load: () => import('./up.ts') },
  status: { usage: 'status [--json]', does: 'what the daemon is doing', load: () => import('./status.ts') },
  down: { usage: 'down', does: 'stop the daemon', load: () => import('./down.ts') },
  ledger: {
    usage: 'ledger verify|show|tail|proof|export',
    does: 'the log of every decision, and its proof',
    load: () => import('./ledger.ts'),
  },
  approvals: {
    usage: 'approvals [list|approve ID|deny ID]',
    does: 'what sessions were refused by default, to grant or not',
    load: () => import('./approvals.ts'),
  },
  keys: { usage: 'keys add|list|revoke', does: 'virtual keys for programs outside the sandbox', load: () => import('./keys.ts') },
  policy: {
    usage: 'policy check|test|explain|replay|diff',
    does: 'check, test and explain policies, and try a draft',
    load: () => import('./policy.ts'),
  },
  doctor: { usage: 'doctor [--json|--fix]', does: 'can this machine enforce the sandbox', load: () => import('./doctor.ts') },
};

/** Words of the contract that later versions bring. They are not in the help, and they say so. */
const later = new Set(['kill', 'resume', 'hook', 'init', 'report']);

function help(): string {
  const rows = Object.values(commands).map(({ usage, does }) => `  ${usage.padEnd(38)} ${does}`);
  return `${productTitle} keeps coding agents, and what they read, within the walls.\n\nUsage: ${productName} COMMAND\n\n${rows.join('\n')}\n\n  --version, --help; --help after a command lists what it takes\n`;
}

/**
 * V8's compiled code, kept from run to run: most of a short command is the loading of its own code. The directory is the one of
 * `placesFrom`, worked out here because only what is loaded after this call is kept, and because `--version` loads no other file.
 */
function keepCompiledCode(env: NodeJS.ProcessEnv): void {
  const home = process.getBuiltinModule('node:os').homedir();
  const cache = env['INTRAMUR_HOME'] ? `${env['INTRAMUR_HOME']}/cache` : `${env['XDG_CACHE_HOME'] || `${home}/.cache`}/${productName}`;
  process.getBuiltinModule('node:module').enableCompileCache(`${cache}/compile`);
}

function say(text: string): void {
  process.stderr.on('error', () => {});
  process.stderr.write(`${productName}: ${text}\n`);
}

/** A reader that went away (`| head`) ends the output, not in a stack trace. Any other output that is lost is told, and no success. */
function watchOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // What a command that is at its end has found stays its answer; one that goes on (`ledger tail`) is done.
    if (error.code === 'EPIPE') return void setImmediate(() => process.exit());
    process.once('exit', (code) => {
      if (code === 0) process.exitCode = 3;
    });
    void import('./file-fault.ts').then(({ reasonOf }) => say(`standard output cannot be written: ${reasonOf(error)}`));
  });
}

/** What keeps its files under /proc would wait for ever: Node's `mkdir` with `recursive` does not end there. */
function placeInProc(env: NodeJS.ProcessEnv): string | undefined {
  const path = process.getBuiltinModule('node:path');
  const home = process.getBuiltinModule('node:os').homedir();
  const places = env['INTRAMUR_HOME'] ? [env['INTRAMUR_HOME']] : [env['XDG_STATE_HOME'] || home, env['XDG_CACHE_HOME'] || home];
  return places.find((place) => /^\/proc(?:\/|$)/.test(path.resolve(place)));
}

function isHelp(word: string | undefined): boolean {
  return word === '--help' || word === '-h' || word === 'help';
}

async function main(argv: readonly string[]): Promise<number> {
  // `help run` asks what `run --help` asks.
  const [first, asked = ''] = argv;
  const [name, ...args] = isHelp(first) && Object.hasOwn(commands, asked) ? [asked, '--help'] : argv;
  if (name === '--version' || name === '-V') {
    watchOutput();
    process.stdout.write(`${version}\n`);
    return 0;
  }
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 22 || (major === 22 && minor < 18)) {
    say(`Node ${process.versions.node} is too old; 22.18 or later is needed`);
    return 2;
  }
  if (name === undefined || isHelp(name)) {
    watchOutput();
    (name === undefined ? process.stderr : process.stdout).write(help());
    return name === undefined ? 2 : 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    const { nearest } = await import('../core/nearest.ts');
    const meant = nearest(name, Object.keys(commands));
    const otherwise = meant === undefined ? `see ${productName} --help` : `did you mean ${meant}?`;
    say(later.has(name) ? `"${name}" is not built yet` : `unknown command "${name}"; ${otherwise}`);
    return 2;
  }
  if (args[0] === '-h' || (args.includes('--help') && !args.slice(0, args.indexOf('--help')).includes('--'))) {
    watchOutput();
    const [{ forms }, { optionsHelp }] = await Promise.all([command.load(), import('./options.ts')]);
    process.stdout.write(`Usage: ${productName} ${command.usage}\n       ${command.does}\n${optionsHelp(name, forms)}`);
    return 0;
  }
  const inProc = placeInProc(process.env);
  if (inProc !== undefined) {
    say(`nothing can be kept in ${JSON.stringify(inProc)}: no file can be made there`);
    return 2;
  }
  keepCompiledCode(process.env);
  if (name === 'run') {
    const { performRun } = await import('./launch.ts');
    // Nothing is left to do, and what was written is written: the loop need not be taken down in order.
    process.exit(await performRun(args));
  }
  watchOutput();
  const { perform } = await import('./perform.ts');
  return await perform(command.load, args);
}

// An empty home would be the directory that everything happens to be started in.
if (process.env['HOME'] === '') delete process.env['HOME'];
process.exitCode = await main(process.argv.slice(2));
