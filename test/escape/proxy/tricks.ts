// Every known way to talk a proxy into reaching a host that is not allowed, or into letting bytes through unseen. Runs inside;
// `allowed.example` is allowed on ports 80 and 443, `denied.example` is not. `layer` is what is supposed to stop it.
import http2 from 'node:http2';
import net from 'node:net';
import tls from 'node:tls';

const proxy = { host: '127.0.0.1', port: 3128 };
const crlf = (...lines: string[]): string => `${lines.join('\r\n')}\r\n\r\n`;
const get = (host: string, target = '/', ...more: string[]): string =>
  crlf(`GET ${target} HTTP/1.1`, `Host: ${host}`, 'Connection: close', ...more);

/** Everything that comes back, in one text. */
function talk(socket: net.Socket, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const done = (why: string): void => {
      socket.destroy();
      resolve(`${text}<${why}>`);
    };
    socket.setTimeout(1500, () => done('silence'));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', (error) => done(error.message));
    socket.on('close', () => done('closed'));
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  });
}

const plain = (host: string, bytes: string | Buffer, port = 80): Promise<string> => talk(net.connect({ host, port }), bytes);
const secure = (host: string, servername: string, bytes: string): Promise<string> =>
  talk(tls.connect({ host, port: 443, servername }), bytes);
const viaProxy = (bytes: string): Promise<string> => talk(net.connect(proxy), bytes);
const connect = (target: string, named = target): string => crlf(`CONNECT ${target} HTTP/1.1`, `Host: ${named}`);

/** Speaks in a tunnel once it is open. */
function inTunnel(target: string, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(proxy, () => socket.write(connect(target)));
    socket.once('data', (answer) => resolve(String(answer).startsWith('HTTP/1.1 200') ? talk(socket, bytes) : String(answer)));
    socket.once('error', (error) => resolve(error.message));
  });
}

function secureTunnel(target: string, servername: string, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(proxy, () => socket.write(connect(target)));
    socket.once('data', () => resolve(talk(tls.connect({ socket, servername }), bytes)));
    socket.once('error', (error) => resolve(error.message));
  });
}

function overHttp2(headers: http2.OutgoingHttpHeaders): Promise<string> {
  return new Promise((resolve) => {
    const session = http2.connect('https://allowed.example');
    const done = (text: string): void => {
      session.destroy();
      resolve(text);
    };
    session.on('error', (error) => done(error.message));
    const stream = session.request(headers, { endStream: true });
    let text = '';
    stream.on('response', (got) => {
      text += got[':status'];
    });
    stream.setEncoding('latin1').on('data', (chunk) => {
      text += String(chunk);
    });
    stream.on('error', (error) => done(error.message)).on('close', () => done(text));
    setTimeout(() => done(`${text}<silence>`), 1500).unref();
  });
}

const smuggled = get('denied.example', '/smuggled');
const post = (...headers: string[]): string => crlf('POST /outer HTTP/1.1', 'Host: allowed.example', ...headers);
const sized = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
/** A ClientHello that names the allowed host and carries another one, encrypted. */
const ech = ((): Buffer => {
  const name = Buffer.concat([Buffer.from([0]), sized(Buffer.from('allowed.example'))]);
  const extensions = sized(Buffer.concat([Buffer.from([0, 0]), sized(sized(name)), Buffer.from([0xfe, 0x0d]), sized(Buffer.alloc(64, 7))]));
  const body = Buffer.concat([Buffer.from([3, 3]), Buffer.alloc(32), Buffer.from([0, 0, 2, 0x13, 0x01, 1, 0]), extensions]);
  return Buffer.concat([Buffer.from([22, 3, 1]), sized(Buffer.concat([Buffer.from([1, 0]), sized(body)]))]);
})();
const webSocket = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='];

export interface Trick {
  readonly id: string;
  readonly layer:
    | 'nothing'
    | 'policy'
    | 'agreement of names'
    | 'strict parser'
    | 'first bytes'
    | 'one tunnel, by the proxy'
    | 'no WebSockets';
  run(): Promise<string>;
}

const spellings = [
  '127.0.0.1',
  'localhost',
  'localhost.',
  'x.localhost',
  '0x7f000001',
  '2130706433',
  '0177.0.0.1',
  '127.1',
  '0.0.0.0',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::]',
];

/** @param canaryPort a port of the host's loopback on which a canary listens */
export function tricks(canaryPort: number): Trick[] {
  return [
    { id: 'allowed, as a control', layer: 'nothing', run: () => plain('allowed.example', get('allowed.example', '/control')) },
    {
      id: 'allowed over TLS, as a control',
      layer: 'nothing',
      run: () => secure('allowed.example', 'allowed.example', get('allowed.example', '/control')),
    },
    { id: 'the denied host', layer: 'policy', run: () => plain('denied.example', get('denied.example')) },
    { id: 'the denied host over TLS', layer: 'policy', run: () => secure('denied.example', 'denied.example', get('denied.example')) },
    { id: 'the denied host by the proxy', layer: 'policy', run: () => viaProxy(get('denied.example', 'http://denied.example/')) },
    {
      id: 'the denied host in a tunnel',
      layer: 'policy',
      run: () => secureTunnel('denied.example:443', 'denied.example', get('denied.example')),
    },
    { id: 'the denied host by ssh', layer: 'policy', run: () => plain('denied.example', 'SSH-2.0-x\r\n', 22) },
    { id: 'Host of another', layer: 'agreement of names', run: () => plain('allowed.example', get('denied.example')) },
    {
      id: 'the target of another',
      layer: 'agreement of names',
      run: () => plain('allowed.example', get('allowed.example', 'http://denied.example/')),
    },
    {
      id: 'Host of another under the right target',
      layer: 'agreement of names',
      run: () => plain('allowed.example', get('denied.example', 'http://allowed.example/')),
    },
    {
      id: 'two hosts',
      layer: 'agreement of names',
      run: () => plain('allowed.example', get('allowed.example', '/', 'Host: denied.example')),
    },
    {
      id: 'user information',
      layer: 'agreement of names',
      run: () => viaProxy(get('denied.example', 'http://allowed.example@denied.example/')),
    },
    {
      id: 'user information the other way round',
      layer: 'agreement of names',
      run: () => viaProxy(get('allowed.example', 'http://denied.example@allowed.example/')),
    },
    { id: 'a NUL in Host', layer: 'strict parser', run: () => plain('allowed.example', get('allowed.example\0denied.example')) },
    { id: 'a tab in Host', layer: 'agreement of names', run: () => plain('allowed.example', get('allowed.example\tdenied.example')) },
    { id: 'SNI of another', layer: 'agreement of names', run: () => secure('allowed.example', 'denied.example', get('denied.example')) },
    { id: 'domain fronting', layer: 'agreement of names', run: () => secure('allowed.example', 'allowed.example', get('denied.example')) },
    {
      id: 'domain fronting over HTTP/2',
      layer: 'agreement of names',
      run: () => overHttp2({ ':authority': 'denied.example', ':path': '/' }),
    },
    {
      id: 'Host beside :authority',
      layer: 'agreement of names',
      run: () => overHttp2({ ':authority': 'allowed.example', host: 'denied.example', ':path': '/' }),
    },
    {
      id: 'a whole address as :path',
      layer: 'strict parser',
      run: () => overHttp2({ ':authority': 'allowed.example', ':path': 'http://denied.example/' }),
    },
    {
      id: 'a tunnel over HTTP/2',
      layer: 'one tunnel, by the proxy',
      run: () => overHttp2({ ':method': 'CONNECT', ':authority': 'denied.example:443' }),
    },
    {
      id: 'the second request of a connection',
      layer: 'agreement of names',
      run: () => plain('allowed.example', `${get('allowed.example').replace('close', 'keep-alive')}${get('denied.example')}`),
    },
    { id: 'fronting in a tunnel', layer: 'agreement of names', run: () => inTunnel('allowed.example:80', get('denied.example')) },
    {
      id: 'SNI of another in a tunnel',
      layer: 'agreement of names',
      run: () => secureTunnel('allowed.example:443', 'denied.example', get('denied.example')),
    },
    {
      id: 'a tunnel in a tunnel',
      layer: 'one tunnel, by the proxy',
      run: () => inTunnel('allowed.example:80', connect('denied.example:443')),
    },
    {
      id: 'a tunnel past the proxy',
      layer: 'one tunnel, by the proxy',
      run: () => plain('allowed.example', connect('denied.example:443')),
    },
    {
      id: 'CONNECT to one and Host of another',
      layer: 'agreement of names',
      run: () => viaProxy(connect('denied.example:443', 'allowed.example:443')),
    },
    { id: 'raw bytes in a tunnel', layer: 'first bytes', run: () => inTunnel('allowed.example:443', 'RAW-BYTES\r\n') },
    { id: 'raw bytes on a web port', layer: 'first bytes', run: () => plain('allowed.example', 'RAW-BYTES\r\n') },
    { id: 'ssh on a web port', layer: 'first bytes', run: () => plain('allowed.example', 'SSH-2.0-RAW-BYTES\r\n', 443) },
    { id: 'raw bytes inside TLS', layer: 'strict parser', run: () => secure('allowed.example', 'allowed.example', 'RAW-BYTES\r\n\r\n') },
    { id: 'SOCKS', layer: 'first bytes', run: () => viaProxy('\x05\x01\x00') },
    { id: 'an encrypted hello', layer: 'first bytes', run: () => plain('allowed.example', ech, 443) },
    {
      id: 'a WebSocket',
      layer: 'no WebSockets',
      run: () => plain('allowed.example', get('allowed.example', '/ws', ...webSocket).replace('close', 'Upgrade')),
    },
    {
      id: 'a WebSocket over TLS',
      layer: 'no WebSockets',
      run: () => secure('allowed.example', 'allowed.example', get('allowed.example', '/ws', ...webSocket).replace('close', 'Upgrade')),
    },
    {
      id: 'CL.TE',
      layer: 'strict parser',
      run: () =>
        plain('allowed.example', `${post(`Content-Length: ${5 + smuggled.length}`, 'Transfer-Encoding: chunked')}0\r\n\r\n${smuggled}`),
    },
    {
      id: 'TE.CL',
      layer: 'strict parser',
      run: () => plain('allowed.example', `${post('Transfer-Encoding: chunked', 'Content-Length: 3')}0\r\n\r\n${smuggled}`),
    },
    {
      id: 'two lengths',
      layer: 'strict parser',
      run: () => plain('allowed.example', `${post('Content-Length: 0', `Content-Length: ${smuggled.length}`)}${smuggled}`),
    },
    {
      id: 'a folded coding',
      layer: 'strict parser',
      run: () => plain('allowed.example', `${post('Content-Length: 5', 'Transfer-Encoding:\r\n chunked')}0\r\n\r\n${smuggled}`),
    },
    {
      id: 'a coding that is none',
      layer: 'strict parser',
      run: () => plain('allowed.example', `${post('Transfer-Encoding: xchunked')}0\r\n\r\n${smuggled}`),
    },
    {
      id: 'a bad chunk',
      layer: 'strict parser',
      run: () => plain('allowed.example', `${post('Transfer-Encoding: chunked')}0x\r\n\r\n${smuggled}`),
    },
    {
      id: 'bare line feeds',
      layer: 'first bytes',
      run: () => plain('allowed.example', `POST / HTTP/1.1\nHost: allowed.example\nContent-Length: 0\n\n${smuggled}`),
    },
    {
      id: 'a split header',
      layer: 'strict parser',
      run: () => plain('allowed.example', get('allowed.example', '/', `X-A: b\rHost: denied.example`)),
    },
    {
      id: 'a split target',
      layer: 'first bytes',
      run: () => plain('allowed.example', get('allowed.example', '/\r\nHost: denied.example')),
    },
    {
      id: 'a redirect that is followed',
      layer: 'policy',
      run: () => fetch('http://allowed.example/redirect').then((response) => response.text()),
    },
    {
      id: 'the host’s loopback by the proxy',
      layer: 'policy',
      run: () => viaProxy(get(`127.0.0.1:${canaryPort}`, `http://127.0.0.1:${canaryPort}/`)),
    },
    ...spellings.map(
      (spelling): Trick => ({
        id: `the host’s loopback as ${spelling}`,
        layer: spelling.includes('localhost') ? 'agreement of names' : 'policy',
        run: () => inTunnel(`${spelling}:${canaryPort}`, get(`${spelling}:${canaryPort}`)),
      }),
    ),
  ];
}
