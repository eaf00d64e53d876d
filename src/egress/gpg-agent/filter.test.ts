// The filter of a gpg-agent against programs that do not behave: what is no signature, what does not parse and what is too long reaches
// nobody, and of what the inside says only a key and a hash of a known length is passed on.
import { Duplex, PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type GpgAgentDeps, serveGpgAgent } from './filter.ts';

const mine = 'A'.repeat(40);
const other = 'B'.repeat(40);
const sha256 = 'c0'.repeat(32);

/** Says `lines` to the filter, and returns what it answered and what reached the agent behind it. */
async function exchange(text: string, deps: Partial<GpgAgentDeps> = {}, signature = '(7:sig-val)') {
  const [toFilter, fromFilter] = [new PassThrough(), new PassThrough()];
  let [answered, reached] = ['', ''];
  const asked: string[] = [];
  const refused: string[] = [];
  fromFilter.on('data', (chunk: Buffer) => {
    answered += chunk.toString('latin1');
  });
  toFilter.end(Buffer.from(text, 'latin1'));
  await serveGpgAgent(Duplex.from({ readable: toFilter, writable: fromFilter }), {
    connect() {
      const [toAgent, fromAgent] = [new PassThrough(), new PassThrough()];
      fromAgent.write('OK hello\n');
      toAgent.on('data', (chunk: Buffer) => {
        const line = chunk.toString('latin1');
        reached += line;
        if (line.startsWith('PKSIGN')) fromAgent.write(`S PROGRESS x\nINQUIRE PINENTRY_LAUNCHED 1\nD ${signature}\n`);
        if (line.startsWith('GETINFO')) fromAgent.write('D 2.2.40\n');
        if (line !== 'CAN\n') fromAgent.write('OK\n');
      });
      return Duplex.from({ readable: fromAgent, writable: toAgent });
    },
    keys: new Map([
      [mine, [`gpg:${'1'.repeat(40)}`, `gpg:${mine}`]],
      [other, [`gpg:${'2'.repeat(40)}`, `gpg:${other}`]],
    ]),
    usable: (names) => Promise.resolve(names.map((name) => name === `gpg:${mine}`)),
    decide(name, what) {
      asked.push(`${name} ${what}`);
      return Promise.resolve(name === `gpg:${mine}`);
    },
    refuse(name, why) {
      refused.push(`${name} ${why}`);
      return Promise.resolve();
    },
    ...deps,
  });
  await new Promise((resolve) => setImmediate(resolve));
  return { answered: answered.split('\n').slice(1, -1), reached, asked, refused };
}

describe('the filter of a gpg-agent', () => {
  it('signs a hash with a named key, in its own words', async () => {
    const said = `OPTION ttyname=/dev/pts/9\nOPTION putenv=LD_PRELOAD=x\nSIGKEY ${mine}\nSETKEYDESC Please+type+your+password\nSETHASH 8 ${sha256}\nPKSIGN --hash=none\n`;
    const { answered, reached, asked } = await exchange(said, {}, '%25 and (7:sig)');
    expect(answered).toEqual(['OK', 'OK', 'OK', 'OK', 'OK', 'D %25 and (7:sig)', 'OK']);
    expect(reached).toBe(
      `RESET\nSIGKEY ${mine}\nSETKEYDESC A+program+in+the+sandbox+signs+with+this+key.\nSETHASH 8 ${sha256.toUpperCase()}\nPKSIGN\nCAN\n`,
    );
    expect(asked).toEqual([`gpg:${mine} OpenPGP signature (SHA-256 ${sha256})`]);
  });

  it('signs with no other key: each attempt is asked about, and reaches nobody', async () => {
    for (const grip of [other, 'D'.repeat(40)]) {
      const { answered, reached, asked } = await exchange(`SIGKEY ${grip}\nSETHASH 8 ${sha256}\nPKSIGN\n`);
      expect([answered.at(-1), reached, asked.length]).toEqual([expect.stringContaining('Forbidden'), '', 1]);
    }
  });

  it('knows of the usable keys only', async () => {
    const { answered } = await exchange(
      `HAVEKEY ${other}\nHAVEKEY ${other} ${mine}\nHAVEKEY --list=1000\nKEYINFO --list\nKEYINFO ${other}\n`,
    );
    expect(answered).toEqual([
      expect.stringContaining('No secret key'),
      'OK',
      `D ${Buffer.from(mine, 'hex').toString('latin1')}`,
      'OK',
      `S KEYINFO ${mine} D - - - P - - -`,
      'OK',
      expect.stringContaining('No secret key'),
    ]);
  });

  it.each([
    ...['PKDECRYPT', `EXPORT_KEY ${mine}`, `DELETE_KEY ${mine}`, `PASSWD ${mine}`, 'GENKEY', 'IMPORT_KEY', 'GET_PASSPHRASE a X X X'],
    ...[`PRESET_PASSPHRASE ${mine} -1 41`, `KEYTOCARD ${mine} x y z`],
  ])('%s is refused and recorded', async (line) => {
    const { answered, reached, refused } = await exchange(`SETKEY ${mine}\n${line}\n`);
    expect([answered.at(-1), reached, refused.length]).toEqual([expect.stringContaining('Forbidden'), '', 1]);
  });

  it.each([
    ...['SCD SERIALNO', 'LEARN', 'KILLAGENT', 'RELOADAGENT', 'CLEAR_PASSPHRASE x', 'MARKTRUSTED a S b', 'READKEY x', 'KEYATTR x'],
    ...['UPDATESTARTUPTTY', 'KEYWRAP_KEY --export', 'GETEVENTCOUNTER', 'PUTVAL x', 'nonsense', 'PKSIGN\rKILLAGENT'],
  ])('%s is not known', async (line) => {
    const { answered, reached } = await exchange(`${line}\n`);
    expect([answered.every((each) => each.startsWith('ERR')), reached]).toEqual([true, '']);
  });

  it.each([
    ['too short', `SETHASH 8 ${sha256.slice(2)}`],
    ['of another algorithm', `SETHASH 10 ${sha256}`],
    ['of MD5', `SETHASH 1 ${'0'.repeat(32)}`],
    ['no hash', `SETHASH 8 ${'zz'.repeat(32)}`],
    ['two lines', `SETHASH 8 ${sha256}\rKILLAGENT`],
    ['a TLS hash', `SETHASH --hash=tls-md5sha1 ${'0'.repeat(72)}`],
  ])('a hash that is %s signs nothing', async (_name, line) => {
    const { answered, reached, asked } = await exchange(`SIGKEY ${mine}\n${line}\nPKSIGN\n`);
    expect([answered.slice(1).every((each) => each.startsWith('ERR')), reached, asked]).toEqual([true, '', []]);
  });

  it('closes on a line that is too long, and when a decision fails', async () => {
    expect((await exchange(`HAVEKEY ${'A'.repeat(2000)}`)).reached).toBe('');
    const failing = { decide: () => Promise.reject(new Error('no daemon')) };
    expect((await exchange(`SIGKEY ${mine}\nSETHASH 8 ${sha256}\nPKSIGN\n`, failing)).reached).toBe('');
  });

  it('property: no bytes make it throw, or reach the agent without a decision', async () => {
    const line = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
      fc.constantFrom(`SIGKEY ${mine}`, `SETHASH 8 ${sha256}`, 'PKSIGN', 'RESET'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line), async (lines) => {
        const { reached } = await exchange(lines.join('\n'), { decide: () => Promise.resolve(false) });
        expect(reached.replaceAll('GETINFO version\n', '')).toBe('');
      }),
      { numRuns: 50 },
    );
  });
});
