// What the first bytes of a connection begin: TLS, HTTP/1, HTTP/2 without TLS, or something that is none of them.
import { type ClientHello, maxHelloBytes, parseClientHello } from './client-hello.ts';

export type Opening =
  | { readonly kind: 'unclear' }
  | { readonly kind: 'tls'; readonly hello: Exclude<ClientHello, { kind: 'partial' }> }
  | { readonly kind: 'http1' }
  | { readonly kind: 'http2' }
  | { readonly kind: 'raw' };

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
/** Longer than this no request line is looked at: the parser behind has its own limit. */
const maxLineBytes = 8192;

export function openingOf(seen: Buffer): Opening {
  if (seen.length === 0) return { kind: 'unclear' };
  if (seen[0] === 22) {
    if (seen.length >= 2 && seen[1] !== 3) return { kind: 'raw' };
    const hello = parseClientHello(seen);
    if (hello.kind !== 'partial') return { kind: 'tls', hello };
    return { kind: 'unclear' };
  }
  const text = seen.toString('latin1', 0, maxLineBytes);
  if (preface.startsWith(text) && text.length < preface.length && text.startsWith('PRI')) return { kind: 'unclear' };
  if (text.startsWith(preface)) return { kind: 'http2' };
  const lineEnd = text.indexOf('\n');
  if (lineEnd >= 0) return { kind: /^[A-Z][A-Z-]{1,19} [\x21-\x7e]+ HTTP\/\d\.\d\r$/.test(text.slice(0, lineEnd)) ? 'http1' : 'raw' };
  if (!/^[A-Z][A-Z-]{0,19}(?: [\x20-\x7e]*\r?)?$/.test(text)) return { kind: 'raw' };
  return { kind: text.length >= maxLineBytes ? 'http1' : 'unclear' };
}

/** More than this is never needed to tell. */
export const maxOpeningBytes = maxHelloBytes + 1024;
