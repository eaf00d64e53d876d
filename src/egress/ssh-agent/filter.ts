// An SSH agent for the inside that holds no key: it shows the keys that may be used and has the user's own agent sign with them, each
// time by decision. Adding and removing keys, locking, extensions: everything else is refused.
import type { Duplex } from 'node:stream';
import { IntramurError } from '../../core/index.ts';
import { Fields, failure, fingerprintOf, framed, messagesFrom, string, types, uint32 } from './message.ts';
import { describeSignedData } from './signed-data.ts';

export interface SshAgentDeps {
  /** A new connection to the user's own agent. */
  connect(): Duplex;
  /** Which of these keys (`ssh:SHA256:…`) may be used. */
  usable(names: readonly string[]): Promise<readonly boolean[]>;
  /** Decides on one signature and records it. `what` is `undefined` for data of an unknown form: there is only a refusal to record. */
  decide(name: string, what: string | undefined): Promise<boolean>;
}

export const secretName = (keyBlob: Uint8Array): string => `ssh:${fingerprintOf(keyBlob)}`;

/** Serves one connection until it ends. Never throws: a fault is a refusal, and the end of the connection. */
export async function serveSshAgent(client: Duplex, deps: SshAgentDeps): Promise<void> {
  let agent: Agent | undefined;
  client.on('error', () => client.destroy());
  try {
    const next = messagesFrom(client);
    for (let message = await next(); message !== undefined; message = await next()) {
      agent ??= new Agent(deps.connect());
      client.write(await answer(message, agent, deps));
    }
    client.end();
  } catch {
    client.destroy();
  } finally {
    agent?.close();
  }
}

async function answer(message: Buffer, agent: Agent, deps: SshAgentDeps): Promise<Buffer> {
  switch (message[0]) {
    case types.requestIdentities:
      return await identities(agent, deps);
    case types.signRequest:
      return await sign(message, agent, deps);
    default:
      return failure;
  }
}

async function identities(agent: Agent, { usable }: SshAgentDeps): Promise<Buffer> {
  const fields = new Fields(await agent.ask(framed(types.requestIdentities)));
  if (fields.byte() !== types.identitiesAnswer) return failure;
  const keys = Array.from({ length: Math.min(fields.uint32(), 1024) }, () => ({ blob: fields.string(), comment: fields.string() }));
  const allowed = await usable(keys.map(({ blob }) => secretName(blob)));
  const shown = keys.filter((_, i) => allowed[i] === true);
  // The comment is often a path or a name of the host's.
  return framed(
    types.identitiesAnswer,
    uint32(shown.length),
    ...shown.flatMap(({ blob }) => [string(blob), string(Buffer.from(fingerprintOf(blob)))]),
  );
}

async function sign(message: Buffer, agent: Agent, { decide }: SshAgentDeps): Promise<Buffer> {
  const fields = new Fields(message.subarray(1));
  const [blob, data] = [fields.string(), fields.string()];
  if (!(await decide(secretName(blob), describeSignedData(data)))) return failure;
  const signed = await agent.ask(Buffer.concat([uint32(message.length), message]));
  return signed[0] === types.signResponse ? Buffer.concat([uint32(signed.length), signed]) : failure;
}

/** The user's own agent, asked one thing at a time. */
class Agent {
  readonly #stream: Duplex;
  readonly #next: () => Promise<Buffer | undefined>;

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('error', () => stream.destroy());
    this.#next = messagesFrom(stream);
  }

  async ask(message: Buffer): Promise<Buffer> {
    this.#stream.write(message);
    const reply = await this.#next();
    if (!reply) throw new IntramurError('UPSTREAM_UNREACHABLE', "the user's SSH agent went away");
    return reply;
  }

  close(): void {
    this.#stream.destroy();
  }
}
