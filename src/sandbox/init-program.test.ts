// The compiled init: the same bytes for the same wishes, well-formed for both machines, and nothing executed that was tampered with.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from 'vitest';
import { elf } from './elf.ts';
import { imageFile } from './init-file.ts';
import { goMessage, type InitOptions, initProgram, starterProgram } from './init-program.ts';
import type { Arch } from './syscall-number.ts';
import { SyscallScript } from './syscall-script.ts';

const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-init-')));
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));

const options: InitOptions = {
  outer: { uid: 1001, gid: 1001 },
  inner: { uid: 1001, gid: 1001 },
  isRoot: false,
  hasIpv6: true,
  groups: 1,
  overlays: 1,
  warmsOverlay: true,
  listeners: [{ protocol: 'tcp', family: 6, address: 'any', port: 443 }],
  limits: { pids: 64, fileBytes: 1 << 20 },
  firstForeignFd: 12,
};

describe.each<[Arch, number]>([
  ['x64', 62],
  ['arm64', 183],
])('the init for %s', (arch, machine) => {
  const image = elf(initProgram(options), arch);

  it('is a small static executable whose stack is not executable', () => {
    expect(image.subarray(0, 7)).toEqual(Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]));
    expect(image.readUInt16LE(18)).toBe(machine);
    expect(image.length).toBeLessThan(16 << 10);
    const segments = [0, 1, 2].map((i) => ({ type: image.readUInt32LE(64 + 56 * i), flags: image.readUInt32LE(68 + 56 * i) }));
    expect(segments).toEqual([
      { type: 1, flags: 6 },
      { type: 1, flags: 5 },
      { type: 0x6474e551, flags: 6 },
    ]);
    for (const at of [64, 64 + 56]) expect(image.readBigUInt64LE(at + 16) % 0x10000n).toBe(image.readBigUInt64LE(at + 8) % 0x10000n);
  });

  it('does not depend on the session', () => {
    expect(elf(initProgram(options), arch).equals(image)).toBe(true);
    expect(elf(initProgram({ ...options, outer: { uid: 1002, gid: 1002 } }), arch).equals(image)).toBe(false);
  });
});

describe('a compiled program', () => {
  const own: Arch = process.arch === 'arm64' ? 'arm64' : 'x64';
  const run = (build: (script: SyscallScript) => void, args: readonly string[] = []) => {
    const script = new SyscallScript(2);
    script.stage('first');
    build(script);
    const program = script.build();
    return { program, ...spawnSync(imageFile(scratch, elf(program, own)), args, { stdio: ['ignore', 'pipe', 'pipe'] }) };
  };

  it('passes its arguments and ends with its own code', () => {
    const { stdout, status } = run((script) => script.call('write', [1, { argv: 1 }, 5]).call('exit', [7]), ['hello']);
    expect([stdout.toString(), status]).toEqual(['hello', 7]);
  });

  it('reports which stage failed, and with what', () => {
    const { program, stderr, status } = run((script) => script.stage('second').call('close', [99]).stage('third').call('exit', [0]));
    expect(status).toBe(125);
    expect([stderr.readInt32LE(0), program.stages[stderr.readUInt32LE(4)]]).toEqual([-9, 'second']);
  });

  it('counts, looks into memory, and jumps by what it finds', () => {
    const listing = Buffer.alloc(16);
    listing.writeUInt16LE(0xfffe, 8);
    listing.writeUInt8(0x80, 11);
    const { status, stdout } = run((script) => {
      const at = script.words([script.bytes(listing)]);
      const [value, sum] = [script.space(8), script.words([1])];
      const [isZero, isBelow, isNot] = [script.label(), script.label(), script.label()];
      script.add(at, 8).peek(value, at, 0, 2).add(value, -0xfffe).jump(isZero, value).call('exit', [1]);
      script.place(isZero).add(sum, 2).peek(value, at, 3, 1).subtract(sum, value).jumpIfNegative(isBelow, sum).call('exit', [2]);
      // 1 + 2 - 128 + 125 + 7, on which neither jumps.
      script.place(isBelow).add(sum, 132).jumpIfNegative(isNot, sum).jump(isNot, sum);
      script.call('write', [1, script.text('through'), { load: sum }]).call('exit', [{ load: sum }]);
      script.place(isNot).call('exit', [3]);
    });
    expect([status, stdout.toString()]).toEqual([7, 'through']);
  });

  it('takes one result only where only one is success', () => {
    const partly = run((script) =>
      script
        .stage('short')
        .call('write', [1, script.text('abc'), 3], { exactly: 4 })
        .call('exit', [0]),
    );
    expect(partly.status).toBe(125);
    const nonZero = run((script) =>
      script
        .stage('value')
        .expectZero(script.bytes(Buffer.from([0, 0, 0, 1])))
        .call('exit', [0]),
    );
    expect(nonZero.status).toBe(125);
    expect(run((script) => script.expectZero(script.space(4)).call('exit', [0])).status).toBe(0);
  });
});

describe('the starter', () => {
  const own: Arch = process.arch === 'arm64' ? 'arm64' : 'x64';
  const word = '{"cmd":"NODE_HANDLE_ACK"}\n'.repeat(2) + `${JSON.stringify(goMessage)}\n`;

  it.each([
    ['the whole word', word, { code: 0, out: 'started 0 1 2 ' }],
    ['a word that is cut short', word.slice(0, -1), { code: 125, out: '' }],
    ['nothing, the launcher is gone', '', { code: 125, out: '' }],
  ])('%s: it is ready, and starts the program or ends', async (_name, said, ended) => {
    const image = imageFile(scratch, elf(starterProgram(2), own));
    const script = 'printf "started "; for fd in 0 1 2 3 4 5; do [ -e /proc/$$/fd/$fd ] && printf "$fd "; done; :';
    const child = spawn(image, ['/bin/sh', '-c', script], { stdio: ['ignore', 'pipe', 'ignore', 'pipe', 'pipe'] });
    const channel = child.stdio[3];
    if (!(channel instanceof Duplex) || !child.stdout) throw new Error('no channel');
    channel.on('error', () => {}).end(said);
    const [[code], out, heard] = await Promise.all([once(child, 'close'), text(child.stdout), text(channel)]);
    expect({ code: code as number, out, heard }).toEqual({ ...ended, heard: '{"ready":true}\n' });
  });
});

describe('the file of the init', () => {
  it('is written anew when what lies there is not what was compiled', () => {
    const cache = path.join(scratch, 'cache');
    const image = Buffer.from('#!/bin/true\n');
    const file = imageFile(cache, image);
    expect(fs.statSync(path.dirname(file)).mode & 0o777).toBe(0o700);
    fs.writeFileSync(file, '#!/bin/evil\n');
    expect(imageFile(cache, image)).toBe(file);
    expect(fs.readFileSync(file).equals(image)).toBe(true);
    fs.chmodSync(file, 0o777);
    imageFile(cache, image);
    expect(fs.statSync(file).mode & 0o022).toBe(0);
    fs.rmSync(file);
    fs.symlinkSync('/bin/true', file);
    imageFile(cache, image);
    expect(fs.lstatSync(file).isFile()).toBe(true);
    expect(fs.readdirSync(path.dirname(file))).toEqual([path.basename(file)]);
  });
});
