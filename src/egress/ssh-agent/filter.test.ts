// The filter against agents and programs that do not behave: what does not parse, what is too long, and every message that is no listing
// and no signature is refused, and reaches nobody.
import { Duplex, PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SshAgentDeps, serveSshAgent } from './filter.ts';
import { failure, framed, maxMessageBytes, string, types, uint32 } from './message.ts';
import { describeSignedData } from './signed-data.ts';

const key = Buffer.from('a key');
const sshsig = (...fields: readonly string[]) =>
  Buffer.concat([Buffer.from('SSHSIG'), ...fields.map((field) => string(Buffer.from(field)))]);
const goodData = sshsig('git', '', 'sha512', 'hash');

/** Says `bytes` to the filter, and returns what it answered and what reached the agent behind it. */
async function exchange(bytes: Uint8Array, deps: Partial<SshAgentDeps> = {}, agentSays: Uint8Array = Buffer.alloc(0)) {
  const [toFilter, fromFilter, toAgent, fromAgent] = [new PassThrough(), new PassThrough(), new PassThrough(), new PassThrough()];
  const [answered, reached]: [Buffer[], Buffer[]] = [[], []];
  fromFilter.on('data', (chunk: Buffer) => answered.push(chunk));
  toAgent.on('data', (chunk: Buffer) => {
    reached.push(chunk);
    fromAgent.end(agentSays);
  });
  toFilter.end(bytes);
  await serveSshAgent(Duplex.from({ readable: toFilter, writable: fromFilter }), {
    connect: () => Duplex.from({ readable: fromAgent, writable: toAgent }),
    usable: (names) => Promise.resolve(names.map(() => true)),
    decide: () => Promise.resolve(true),
    ...deps,
  });
  await new Promise((resolve) => setImmediate(resolve));
  return { answered: Buffer.concat(answered), reached: Buffer.concat(reached) };
}

const signRequest = (data: Uint8Array) => framed(types.signRequest, string(key), string(data), uint32(0));

describe('the filter of an SSH agent', () => {
  it('hands an allowed signature through unchanged', async () => {
    const signed = framed(types.signResponse, string(Buffer.from('signature')));
    const { answered, reached } = await exchange(signRequest(goodData), {}, signed);
    expect([answered, reached]).toEqual([signed, signRequest(goodData)]);
  });

  it('asks about the key and says in words what is signed', async () => {
    const asked: unknown[] = [];
    const decide: SshAgentDeps['decide'] = (name, what) => {
      asked.push([name, what]);
      return Promise.resolve(false);
    };
    for (const data of [goodData, Buffer.from('a certificate'), sshsig('git', '', 'sha512')]) {
      expect(await exchange(signRequest(data), { decide })).toEqual({ answered: failure, reached: Buffer.alloc(0) });
    }
    const name = expect.stringMatching(/^ssh:SHA256:[A-Za-z0-9+/]{43}$/);
    expect(asked).toEqual([
      [name, 'signature for git (sha512)'],
      [name, undefined],
      [name, undefined],
    ]);
  });

  it('refuses every other message by itself', async () => {
    const others = Array.from({ length: 256 }, (_, type) => type).filter(
      (type) => type !== types.requestIdentities && type !== types.signRequest,
    );
    for (const type of others) expect(await exchange(framed(type, key))).toEqual({ answered: failure, reached: Buffer.alloc(0) });
  });

  it('refuses when the decision fails', async () => {
    const { reached } = await exchange(signRequest(goodData), { decide: () => Promise.reject(new Error('no daemon')) });
    expect(reached).toEqual(Buffer.alloc(0));
  });

  it('closes on a message that is too long', async () => {
    const { answered, reached } = await exchange(Buffer.concat([uint32(maxMessageBytes + 1), key]));
    expect([answered.length, reached.length]).toEqual([0, 0]);
  });

  it('lets no bytes make it throw, or reach the agent without a decision', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 64 }),
        fc.constantFrom(types.signRequest, types.requestIdentities, 17, 27),
        async (bytes, type) => {
          const { reached } = await exchange(framed(type, bytes), { decide: () => Promise.resolve(false) });
          expect([0, framed(types.requestIdentities).length]).toContain(reached.length);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('what is signed', () => {
  const login = (user: string, method = 'publickey', after: readonly Buffer[] = []) =>
    Buffer.concat([
      string(Buffer.from('session')),
      Buffer.from([50]),
      ...[user, 'ssh-connection', method].map((field) => string(Buffer.from(field))),
      Buffer.from([1]),
      string(Buffer.from('ssh-ed25519')),
      string(key),
      ...after,
    ]);

  it.each<[string, Buffer, string | undefined]>([
    ['a login', login('git'), 'login as git'],
    ['a login bound to a host', login('git', 'publickey-hostbound-v00@openssh.com', [string(key)]), 'login as git'],
    ['a login with more behind it', login('git', 'publickey', [string(key)]), undefined],
    ['another method', login('git', 'password'), undefined],
    ['a signature for a file', sshsig('file', '', 'sha256', 'h'), 'signature for file (sha256)'],
    ['a signature without a purpose', sshsig('', '', 'sha256', 'h'), undefined],
    ['nothing', Buffer.alloc(0), undefined],
  ])('%s', (_name, data, expected) => {
    expect(describeSignedData(data)).toBe(expected);
  });
});
