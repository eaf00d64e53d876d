import dgram from 'node:dgram';
import { afterEach, describe, expect, it } from 'vitest';
import { reachOf } from './address.ts';
import { type Check, createResolve } from './resolve.ts';

const open: dgram.Socket[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

/** Answers every A question with the next address of the list, every other one with nothing. */
async function nameServer(addresses: readonly string[]): Promise<string> {
  const socket = dgram.createSocket('udp4');
  open.push(socket);
  let asked = 0;
  socket.on('message', (question, from) => {
    const end = question.indexOf(0, 12) + 5;
    const isA = question.readUInt16BE(end - 4) === 1;
    const address = addresses[Math.min(asked, addresses.length - 1)] ?? '';
    if (isA) asked++;
    const head = Buffer.from(question.subarray(0, 12));
    head.writeUInt16BE(0x8180, 2);
    head.writeUInt16BE(isA ? 1 : 0, 6);
    head.writeUInt16BE(0, 8);
    head.writeUInt16BE(0, 10);
    const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]);
    socket.send(Buffer.concat([head, question.subarray(12, end), ...(isA ? [answer] : [])]), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return `127.0.0.1:${socket.address().port}`;
}

const nothing = { resolve: [], resolvers: [], inside: [] };

describe('an address', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['::127.0.0.1', 'loopback'],
    ['64:ff9b::7f00:1', 'loopback'],
    ['2002:7f00:1::', 'loopback'],
    ['169.254.169.254', 'link-local'],
    ['::ffff:169.254.169.254', 'link-local'],
    ['64:ff9b::a9fe:a9fe', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['fd00:ec2::254', 'link-local'],
    ['0.0.0.0', 'unusable'],
    ['::', 'unusable'],
    ['224.0.0.1', 'unusable'],
    ['255.255.255.255', 'unusable'],
    ['ff02::1', 'unusable'],
    ['no address', 'unusable'],
    ['10.0.0.1', 'ordinary'],
    ['8.8.8.8', 'ordinary'],
    ['2606:4700::1', 'ordinary'],
  ])('%s is %s', (address, reach) => {
    expect(reachOf(address)).toBe(reach);
  });
});

describe('a target inside', () => {
  it.each<[string, readonly string[], boolean]>([
    ['127.0.0.1', [], true],
    ['localhost', [], true],
    ['10.1.2.3', [], true],
    ['0x7f.1', [], true],
    ['2130706433', [], true],
    ['192.168.0.9', [], true],
    ['::ffff:10.0.0.1', [], true],
    ['fd12::1', [], true],
    ['8.8.8.8', [], false],
    ['134744072', [], false],
    ['::ffff:8.8.8.8', [], false],
    ['64:ff9b::a00:1', [], false],
    ['169.254.169.254', [], false],
    ['0.0.0.0', [], false],
    ['203.0.113.9', ['203.0.113.0/24'], true],
    ['::ffff:203.0.113.9', ['203.0.113.0/24'], true],
    ['203.0.114.9', ['203.0.113.0/24'], false],
  ])('%s with inside %j: %s', async (host, inside, isAllowed) => {
    const found = createResolve({ ...nothing, inside })(host, 80, 'inside');
    await (isAllowed ? expect(found).resolves.toMatchObject({ port: 80 }) : expect(found).rejects.toThrow('not inside'));
  });
});

describe('a name', () => {
  it.each<[string, Check, string, boolean]>([
    ['a program is not led to this machine', 'named', '127.0.0.1', false],
    ['a program is not led to the metadata service', 'named', '169.254.169.254', false],
    ['a program is not led to 0.0.0.0', 'named', '0.0.0.0', false],
    ['a program may be led to the company network', 'named', '10.0.0.8', true],
    ['a program may be led outside', 'named', '203.0.113.8', true],
    ['an inside target does not move outside', 'inside', '203.0.113.8', false],
    ['an inside target stays inside', 'inside', '10.0.0.8', true],
    ['an outside target may stand anywhere', 'any', '127.0.0.1', true],
  ])('%s', async (_why, check, address, isAllowed) => {
    const resolvers = [await nameServer([address])];
    const found = createResolve({ ...nothing, resolvers })('model.example', 443, check);
    if (isAllowed) await expect(found).resolves.toEqual({ addresses: [{ address, family: 4 }], port: 443 });
    else await expect(found).rejects.toMatchObject({ code: 'UPSTREAM_UNREACHABLE' });
  });

  it('that does not resolve is unreachable', async () => {
    const resolvers = [await nameServer(['not.an.address.'])];
    await expect(createResolve({ ...nothing, resolvers })('model.example', 443, 'any')).rejects.toMatchObject({
      code: 'UPSTREAM_UNREACHABLE',
    });
  });

  it('that the user resolves goes where the user says, whatever the check', async () => {
    const resolve = createResolve({ ...nothing, resolve: [{ host: 'api.example', port: 443, address: '127.0.0.1', targetPort: 8443 }] });
    const there = { addresses: [{ address: '127.0.0.1', family: 4 }], port: 8443 };
    expect(await Promise.all([resolve('API.example.', 443, 'named'), resolve('api.example', 443, 'inside')])).toEqual([there, there]);
    await expect(resolve('a b', 443, 'named')).rejects.toMatchObject({ code: 'UPSTREAM_UNREACHABLE' });
  });
});
