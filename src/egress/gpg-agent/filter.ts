// A gpg-agent for the inside that holds no key: it knows the keys that may be used and has the user's own agent sign with them, each time
// by decision. Only what gpg needs to sign is answered; decrypting, exporting, deleting, passphrases, cards, new keys: refused. Nothing
// that the inside says is passed on but a key that may be used and a hash of a known length.
import type { Duplex } from 'node:stream';
import { dataLines, dataOf, err, errors, linesFrom, ok } from './assuan.ts';

export interface GpgAgentDeps {
  /** A new connection to the user's own agent. */
  connect(): Duplex;
  /** Keygrips of the user's secret keys (upper case) with the names by which they may be granted (`gpg:…`). */
  readonly keys: ReadonlyMap<string, readonly string[]>;
  /** Which of these names may be used. */
  usable(names: readonly string[]): Promise<readonly boolean[]>;
  /** Decides on one signature and records it. */
  decide(name: string, what: string): Promise<boolean>;
  /** Records what the filter refused by itself. */
  refuse(name: string, why: string): Promise<void>;
}

/** Algorithm numbers of libgcrypt with the length of their hash, bytes. */
const hashes: ReadonlyMap<string, readonly [name: string, bytes: number]> = new Map([
  ['2', ['SHA-1', 20]],
  ['8', ['SHA-256', 32]],
  ['9', ['SHA-384', 48]],
  ['10', ['SHA-512', 64]],
  ['11', ['SHA-224', 28]],
]);

/** Attempts that are worth an entry: somebody wants more of a key than a signature. */
const attempts: ReadonlyMap<string, string> = new Map([
  ['PKDECRYPT', 'decrypts nothing'],
  ['EXPORT_KEY', 'hands out no key'],
  ['KEYTOCARD', 'hands out no key'],
  ['DELETE_KEY', 'deletes no key'],
  ['IMPORT_KEY', 'takes no key in'],
  ['GENKEY', 'makes no key'],
  ['PASSWD', 'changes no passphrase'],
  ['GET_PASSPHRASE', 'asks for no passphrase'],
  ['PRESET_PASSPHRASE', 'takes no passphrase'],
]);

const quiet = new Set(['OPTION', 'NOP', 'SETKEYDESC']);
const grip = /^[0-9A-F]{40}$/;

interface State {
  grip: string | undefined;
  hash: { readonly algorithm: string; readonly hex: string } | undefined;
}

/** Serves one connection until it ends. Never throws: a fault is a refusal, and the end of the connection. */
export async function serveGpgAgent(client: Duplex, deps: GpgAgentDeps): Promise<void> {
  client.on('error', () => client.destroy());
  const state: State = { grip: undefined, hash: undefined };
  try {
    const next = linesFrom(client);
    client.write('OK Pleased to meet you\n');
    for (let line = await next(); line !== undefined; line = await next()) {
      const [command = '', ...words] = line.split(' ').filter((word) => word !== '');
      client.write(await answer(command.toUpperCase(), words, state, deps), 'latin1');
      if (command.toUpperCase() === 'BYE') break;
    }
    client.end();
  } catch {
    client.destroy();
  }
}

async function answer(command: string, words: readonly string[], state: State, deps: GpgAgentDeps): Promise<string> {
  // What gpg says of its terminal, its language and of what the person should be asked is not passed on.
  if (quiet.has(command) || command === 'BYE' || command.startsWith('#') || command === '')
    return command === '' || command.startsWith('#') ? '' : ok;
  switch (command) {
    case 'RESET':
      state.grip = state.hash = undefined;
      return ok;
    case 'GETINFO':
      return words[0] === 'version' ? await version(deps) : err(errors.parameter);
    case 'HAVEKEY':
      return await haveKey(words, deps);
    case 'KEYINFO':
      return await keyInfo(words, deps);
    case 'SIGKEY':
      state.grip = gripOf(words[0]);
      return state.grip === undefined ? err(errors.parameter) : ok;
    case 'SETHASH':
      state.hash = hashOf(words);
      return state.hash === undefined ? err(errors.parameter) : ok;
    case 'PKSIGN':
      return await sign(state, deps);
    default: {
      const why = attempts.get(command);
      if (why === undefined) return err(errors.unknown);
      const named = words.map(gripOf).find((each) => each !== undefined);
      await deps.refuse(nameOf(named, deps) ?? 'gpg:any', `the agent inside ${why}`);
      return err(errors.forbidden);
    }
  }
}

function gripOf(word: string | undefined): string | undefined {
  const upper = word?.toUpperCase() ?? '';
  return grip.test(upper) ? upper : undefined;
}

function nameOf(of: string | undefined, { keys }: GpgAgentDeps): string | undefined {
  return of === undefined ? undefined : (keys.get(of)?.[0] ?? `gpg:${of}`);
}

/** The name by which a key may be used; a key that may not has none. */
async function usableName(of: string, { keys, usable }: GpgAgentDeps): Promise<string | undefined> {
  const names = keys.get(of) ?? [];
  const allowed = names.length === 0 ? [] : await usable(names);
  return names.find((_, i) => allowed[i] === true);
}

async function usableGrips(deps: GpgAgentDeps): Promise<string[]> {
  const grips: string[] = [];
  for (const each of deps.keys.keys()) if ((await usableName(each, deps)) !== undefined) grips.push(each);
  return grips;
}

async function haveKey(words: readonly string[], deps: GpgAgentDeps): Promise<string> {
  const usable = await usableGrips(deps);
  if (words[0]?.startsWith('--list')) return dataLines(Buffer.from(usable.join(''), 'hex')) + ok;
  return words.some((word) => usable.includes(gripOf(word) ?? '')) ? ok : err(errors.noSecretKey);
}

/** Nothing is said of cards, of what is cached, or of how a key is protected. */
async function keyInfo(words: readonly string[], deps: GpgAgentDeps): Promise<string> {
  const usable = await usableGrips(deps);
  const asked = words.filter((word) => !word.startsWith('--'));
  const shown = words.includes('--list') ? usable : usable.filter((each) => asked.some((word) => gripOf(word) === each));
  if (shown.length === 0 && !words.includes('--list')) return err(errors.noSecretKey);
  return shown.map((each) => `S KEYINFO ${each} D - - - P - - -\n`).join('') + ok;
}

/** `SETHASH 10 HEX` or `SETHASH --hash=sha512 HEX`: only a hash whose length is that of its algorithm. */
function hashOf(words: readonly string[]): State['hash'] {
  const [first = '', hex = ''] = words;
  const byName = /^--hash=(sha\d+)$/i.exec(first)?.[1]?.toUpperCase().replace('SHA', 'SHA-');
  const number = byName === undefined ? first : [...hashes].find(([, [name]]) => name === byName)?.[0];
  const bytes = hashes.get(number ?? '')?.[1];
  const isHash = words.length === 2 && bytes !== undefined && hex.length === bytes * 2 && /^[0-9A-F]+$/i.test(hex);
  return isHash && number !== undefined ? { algorithm: number, hex: hex.toUpperCase() } : undefined;
}

async function sign({ grip: of, hash }: State, deps: GpgAgentDeps): Promise<string> {
  if (of === undefined || hash === undefined) return err(errors.missing);
  const name = (await usableName(of, deps)) ?? nameOf(of, deps) ?? 'gpg:any';
  const [algorithm = ''] = hashes.get(hash.algorithm) ?? [];
  // OpenPGP shows an agent the hash alone: with it, whoever has the commit can tell which one it was.
  if (!(await deps.decide(name, `OpenPGP signature (${algorithm} ${hash.hex.toLowerCase()})`))) return err(errors.forbidden);
  if (!deps.keys.has(of)) return err(errors.noSecretKey);
  const agent = new Agent(deps.connect());
  try {
    await agent.greeting();
    for (const line of [
      'RESET',
      `SIGKEY ${of}`,
      'SETKEYDESC A+program+in+the+sandbox+signs+with+this+key.',
      `SETHASH ${hash.algorithm} ${hash.hex}`,
    ]) {
      if ((await agent.ask(line)) === undefined) return err(errors.noSecretKey);
    }
    const signature = await agent.ask('PKSIGN');
    return signature === undefined ? err(errors.noSecretKey) : dataLines(signature) + ok;
  } finally {
    agent.close();
  }
}

/** gpg warns about an agent that is older than itself. */
async function version(deps: GpgAgentDeps): Promise<string> {
  const agent = new Agent(deps.connect());
  try {
    await agent.greeting();
    const text = (await agent.ask('GETINFO version'))?.toString('latin1') ?? '';
    return /^[\w.-]{1,40}$/.test(text) ? dataLines(Buffer.from(text)) + ok : err(errors.parameter);
  } finally {
    agent.close();
  }
}

/** Longest answer that is taken from the agent, bytes: a signature of a large RSA key is two kilobytes. */
const maxAnswerBytes = 64 * 1024;

/** The user's own agent, asked one thing at a time. */
class Agent {
  readonly #stream: Duplex;
  readonly #next: () => Promise<string | undefined>;

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('error', () => stream.destroy());
    this.#next = linesFrom(stream);
  }

  async greeting(): Promise<void> {
    if (!(await this.#next())?.startsWith('OK')) throw new Error("the user's gpg-agent does not greet");
  }

  /** The data of its answer; `undefined` for a refusal. What it inquires is cancelled: nobody inside is to be asked. */
  async ask(line: string): Promise<Buffer | undefined> {
    this.#stream.write(`${line}\n`);
    const parts: Buffer[] = [];
    let size = 0;
    for (;;) {
      const reply = await this.#next();
      if (reply === undefined) throw new Error("the user's gpg-agent went away");
      if (/^OK( |$)/.test(reply)) return Buffer.concat(parts);
      if (reply.startsWith('ERR ')) return undefined;
      if (reply.startsWith('INQUIRE ')) this.#stream.write('CAN\n');
      if (!reply.startsWith('D ')) continue;
      const part = dataOf(reply);
      size += part.length;
      if (size > maxAnswerBytes) throw new Error("the user's gpg-agent says too much");
      parts.push(part);
    }
  }

  close(): void {
    this.#stream.destroy();
  }
}
