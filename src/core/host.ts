// One spelling per host, so that a rule and a request can be compared as strings (WHATWG URL, section 3.5: IDNA, lower case,
// `0x7f.1` is 127.0.0.1). Used wherever a name enters: configuration, policy, egress.
import { isIPv6 } from 'node:net';

/** Lower case, punycode, no trailing dot, no brackets, numeric forms of IPv4 resolved; `undefined` for what is no host. */
export function canonicalHost(text: string): string | undefined {
  if (text.length === 0 || text.length > 255 || /[\s/?#@\\%]/u.test(text)) return undefined;
  const wrapped = isIPv6(text) ? `[${text}]` : text;
  if (/:\d*$/.test(wrapped)) return undefined;
  const parsed = URL.parse(`http://${wrapped}`);
  if (!parsed || parsed.hostname === '' || parsed.pathname !== '/') return undefined;
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  if (isIPv6(host)) return unmapped(host);
  return host.length <= 253 && host.split('.').every((label) => /^[a-z0-9_-]{1,63}$/.test(label)) ? host : undefined;
}

/** An IPv4-mapped address (RFC 4291, 2.5.5.2) reaches the IPv4 host, so it is that host. */
function unmapped(address: string): string {
  const groups = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address);
  if (!groups) return address;
  const value = (Number.parseInt(groups[1] ?? '', 16) << 16) | Number.parseInt(groups[2] ?? '', 16);
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.');
}
