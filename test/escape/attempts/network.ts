// Ways out over the network. Every address is local inside: a connection arrives at the launcher's listener, or nowhere.
import { spawnSync } from 'node:child_process';
import dgram from 'node:dgram';
import net from 'node:net';
import os from 'node:os';
import type { Attempt, Evidence, Outside } from '../attempt.ts';

const layer = 'network namespace';
const group = 'network';

/** What the other side says; the canary outside greets whoever connects. */
function greeting(options: net.NetConnectOpts): Promise<Evidence> {
  return new Promise((resolve) => {
    const socket = net.connect(options);
    let text = '';
    socket.setTimeout(1000, () => socket.destroy());
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

function send(family: 'udp4' | 'udp6', port: number, host: string): Promise<Evidence> {
  return new Promise((resolve) => {
    const socket = dgram.createSocket(family);
    const done = (evidence: Evidence): void => {
      socket.close();
      resolve(evidence);
    };
    socket.on('message', (message) => done(message.toString('latin1')));
    socket.on('error', () => done(false));
    socket.send('?', port, host);
    setTimeout(() => done(false), 300);
  });
}

function listen(port: number, host: string): Promise<Evidence> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.on('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

const oursAlone = 'a port of this product';

const run = (command: string, args: readonly string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore', timeout: 5000 }).status === 0;

/** A direct attempt must be seen by the launcher: what is not seen cannot be recorded. */
const unseen = (where: string) => (outside: Outside) => !outside.place.isPeer && !outside.arrived.includes(where);

const directs: readonly [string, number, string][] = [
  ['93.184.216.34', 443, 'an address on the internet'],
  ['169.254.169.254', 80, 'the metadata service of a cloud'],
  ['10.0.0.1', 80, 'a private address'],
  ['192.168.1.1', 443, 'a router'],
  ['100.100.100.200', 80, 'the metadata service of another cloud'],
  ['2606:4700::1111', 443, 'an IPv6 address on the internet'],
  ['fd00:ec2::254', 80, 'the metadata service over IPv6'],
  ['::ffff:1.1.1.1', 443, 'a mapped address'],
];

export const network: readonly Attempt[] = [
  {
    id: "the host's loopback",
    group,
    layer,
    inside: ({ hostPort }) => greeting({ host: '127.0.0.1', port: hostPort }),
    escaped: ({ hostConnections }) => hostConnections > 0,
  },
  { id: "the host's loopback over IPv6", group, layer, inside: ({ hostPort }) => greeting({ host: '::1', port: hostPort }) },
  { id: "the host's loopback by name", group, layer, inside: ({ hostPort }) => greeting({ host: 'localhost', port: hostPort }) },
  { id: "the host's loopback by 0.0.0.0", group, layer, inside: ({ hostPort }) => greeting({ host: '0.0.0.0', port: hostPort }) },
  {
    id: "the host's loopback by another 127 address",
    group,
    layer,
    inside: ({ hostPort }) => greeting({ host: '127.1.2.3', port: hostPort }),
  },
  { id: "the host's own address", group, layer, inside: ({ hostPort, hostAddress }) => greeting({ host: hostAddress, port: hostPort }) },
  ...directs.map(
    ([host, port, what]): Attempt => ({
      id: `${what} (${host}:${port})`,
      group,
      layer,
      inside: () => greeting({ host, port }),
      escaped: unseen(`${host.replace('::ffff:', '')}:${port}`),
    }),
  ),
  { id: 'a port that nobody listens on', group, layer, inside: () => greeting({ host: '93.184.216.34', port: 8443 }) },
  {
    id: 'a query to a resolver on the internet',
    group,
    layer,
    inside: () => send('udp4', 53, '8.8.8.8'),
    escaped: ({ queriesElsewhere, place }) => !place.isPeer && queriesElsewhere === 0,
  },
  { id: 'a query to a resolver over IPv6', group, layer, inside: () => send('udp6', 53, '2001:4860:4860::8888') },
  { id: 'a query over TCP', group, layer, inside: () => greeting({ host: '8.8.4.4', port: 53 }), escaped: unseen('8.8.4.4:53') },
  { id: 'DNS over TLS', group, layer, inside: () => greeting({ host: '1.1.1.1', port: 853 }) },
  { id: 'QUIC', group, layer, inside: () => send('udp4', 443, '93.184.216.34') },
  { id: 'NTP', group, layer, inside: () => send('udp4', 123, '162.159.200.1') },
  { id: 'a datagram to the host', group, layer, inside: ({ hostPort, hostAddress }) => send('udp4', hostPort, hostAddress) },
  { id: 'an interface besides lo', group, layer, inside: () => Object.keys(os.networkInterfaces()).some((name) => name !== 'lo') },
  { id: 'a privileged port', group, layer: 'no capabilities', inside: () => listen(25, '127.0.0.1') },
  { id: 'taking over the port of the proxy', group, layer, oursAlone, inside: () => listen(3128, '0.0.0.0') },
  { id: 'taking over the port of the gateway', group, layer, oursAlone, inside: () => listen(4180, '127.0.0.1') },
  { id: 'ping', group, layer: 'no capabilities', inside: () => run('ping', ['-c1', '-W1', '127.0.0.1']) },
  { id: 'a new interface', group, layer: 'no capabilities', inside: () => run('ip', ['link', 'add', 'evil0', 'type', 'dummy']) },
  { id: 'another route', group, layer: 'no capabilities', inside: () => run('ip', ['route', 'add', 'default', 'dev', 'lo']) },
  { id: 'flushing the routes', group, layer: 'no capabilities', inside: () => run('ip', ['route', 'flush', 'table', 'local']) },
  { id: 'taking lo down', group, layer: 'no capabilities', inside: () => run('ip', ['link', 'set', 'lo', 'down']) },
  { id: 'a firewall rule', group, layer: 'no capabilities', inside: () => run('iptables', ['-t', 'nat', '-A', 'OUTPUT', '-j', 'ACCEPT']) },
  { id: 'another network namespace by name', group, layer: 'mount namespace', inside: () => run('ip', ['netns', 'exec', 'host', 'true']) },
];
