// Terminates TLS on a connection whose ClientHello has been read. No tls.Server: the certificate is chosen from what was read, and
// the connection stays tied to where it was going.
import type { Socket } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';

export type Terminated = { readonly stream: TLSSocket } | { readonly problem: string };

/** @returns the decrypted stream once the handshake is done, or what went wrong; the connection is then destroyed */
export async function terminateTls(socket: Socket, secureContext: SecureContext, limitMs: number): Promise<Terminated> {
  const tls = process.getBuiltinModule('node:tls');
  const { promise, resolve } = Promise.withResolvers<Terminated>();
  const stream = new tls.TLSSocket(socket, {
    isServer: true,
    secureContext,
    ALPNProtocols: ['h2', 'http/1.1'],
    requestCert: false,
  });
  const timer = setTimeout(() => stream.destroy(new Error('it took too long')), limitMs);
  stream.once('secure', () => {
    // As tls.Server does it: node:http2 waits for ever on a stream that says it is still connecting.
    Reflect.set(stream, 'secureConnecting', false);
    resolve({ stream });
  });
  stream.on('error', (error: NodeJS.ErrnoException & { reason?: string }) => resolve({ problem: problemOf(error) }));
  // After the handshake Node tells errors of a socket without a tls.Server only here.
  stream.on('_tlsError', () => stream.destroy());
  const onGone = (): void => resolve({ problem: 'the program closed the connection' });
  stream.once('close', onGone).once('end', onGone);
  const outcome = await promise;
  clearTimeout(timer);
  stream.off('close', onGone).off('end', onGone);
  if ('problem' in outcome) socket.destroy();
  return outcome;
}

/** OpenSSL's own words for it, or Node's code: short, and never bytes of the program's. */
function problemOf({ code, reason, message }: NodeJS.ErrnoException & { reason?: string }): string {
  const text = reason ?? code ?? message;
  return text.replace(/[^\x20-\x7e]/g, '').slice(0, 120);
}

/** Fatal alerts (RFC 8446 section 6.2) that tell a program why, before there is any encryption. */
export const alerts = {
  handshakeFailure: Buffer.from([21, 3, 3, 0, 2, 2, 40]),
  decodeError: Buffer.from([21, 3, 3, 0, 2, 2, 50]),
  unrecognizedName: Buffer.from([21, 3, 3, 0, 2, 2, 112]),
} as const;
