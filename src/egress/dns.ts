// Answers DNS (RFC 1035) for the sandbox without ever asking anyone: a name gets its own loopback address, everything else an empty
// answer. INVARIANT: no query leaves; a name that carries data therefore goes nowhere.
import { isIP } from 'node:net';
import type { NameTable } from './name-table.ts';
import { isLocalName, wireHost } from './wire-host.ts';

/** A question that is worth an entry: once for each name and type. */
export interface DnsAttempt {
  readonly name: string;
  readonly type: string;
  readonly isOurResolver: boolean;
  readonly refused: string;
}

export interface Resolver {
  /** The reply; `undefined` when the bytes are no question, which are then dropped. */
  answer(query: Buffer, isOurResolver: boolean): Buffer | undefined;
}

interface Question {
  readonly id: number;
  readonly flags: number;
  /** Labels as written, joined by dots, latin1. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** Offset behind the question. */
  readonly end: number;
}

const typeNames: Readonly<Record<number, string>> = {
  1: 'A',
  2: 'NS',
  5: 'CNAME',
  6: 'SOA',
  10: 'NULL',
  12: 'PTR',
  15: 'MX',
  16: 'TXT',
  28: 'AAAA',
  33: 'SRV',
  35: 'NAPTR',
  52: 'TLSA',
  64: 'SVCB',
  65: 'HTTPS',
  252: 'AXFR',
  255: 'ANY',
};

function typeName(type: number): string {
  return typeNames[type] ?? `TYPE${type}`;
}

const noError = 0;
const nameError = 3;
const refused = 5;
const ttlSeconds = 600;
const maxQueryBytes = 4096;
/** More attempts than this are the same attempt: someone is sending data as names. */
const maxReported = 4096;

export function createResolver(names: NameTable, report: (attempt: DnsAttempt) => void): Resolver {
  const reported = new Set<string>();

  function reportOnce(question: Question, isOurResolver: boolean, reason: string): void {
    const name = printable(question.name);
    const type = typeName(question.type);
    const key = `${isOurResolver} ${type} ${name}`;
    if (reported.has(key) || reported.size > maxReported) return;
    reported.add(key);
    const isLast = reported.size > maxReported;
    report({ name, type, isOurResolver, refused: isLast ? `${reason}; there were so many that further ones are not listed` : reason });
  }

  function answer(query: Buffer, isOurResolver: boolean): Buffer | undefined {
    const question = parseQuestion(query);
    if (!question) return undefined;
    const { name, type } = question;
    if (!isOurResolver) {
      reportOnce(question, isOurResolver, 'DNS is answered by the sandbox’s own resolver only');
      return reply(query, question, refused);
    }
    if (question.class !== 1) {
      reportOnce(question, isOurResolver, 'only class IN is answered');
      return reply(query, question, refused);
    }
    const host = wireHost(name);
    if (type !== 1 && type !== 28) {
      reportOnce(question, isOurResolver, `only addresses are answered, not ${typeName(type)}`);
      return reply(query, question, noError);
    }
    if (host === undefined) {
      reportOnce(question, isOurResolver, 'not a host name');
      return reply(query, question, refused);
    }
    // An address is no name: a resolver that asks for one would get it back as a name that policy has never seen.
    if (isIP(host) !== 0) return reply(query, question, nameError);
    if (isLocalName(host)) return reply(query, question, noError, type === 1 ? '127.0.0.1' : undefined);
    const address = names.addressOf(host);
    if (address === undefined) {
      reportOnce(question, isOurResolver, 'too many names in one session');
      return reply(query, question, refused);
    }
    return reply(query, question, noError, type === 1 ? address : undefined);
  }

  return { answer };
}

/** Strict: one question, nothing compressed, nothing answered; `undefined` for anything else. */
function parseQuestion(query: Buffer): Question | undefined {
  if (query.length < 12 || query.length > maxQueryBytes) return undefined;
  const flags = query.readUInt16BE(2);
  // QR and opcode must be 0: a query, a standard one.
  if ((flags & 0xf800) !== 0) return undefined;
  if (query.readUInt16BE(4) !== 1 || query.readUInt16BE(6) !== 0 || query.readUInt16BE(8) !== 0) return undefined;
  const labels: string[] = [];
  let at = 12;
  for (;;) {
    const length = query[at];
    if (length === undefined || length > 63) return undefined;
    at += 1;
    if (length === 0) break;
    if (at + length > query.length || at + length - 12 > 254) return undefined;
    labels.push(query.toString('latin1', at, at + length));
    at += length;
  }
  if (at + 4 > query.length) return undefined;
  // A dot inside a label would read as two labels further on.
  const name = labels.some((label) => label.includes('.')) ? labels.join('\0') : labels.join('.');
  return { id: query.readUInt16BE(0), flags, name, type: query.readUInt16BE(at), class: query.readUInt16BE(at + 2), end: at + 4 };
}

function reply(query: Buffer, question: Question, code: number, address?: string): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(question.id, 0);
  // QR, recursion desired as asked, recursion available, code.
  header.writeUInt16BE(0x8080 | (question.flags & 0x0100) | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(address === undefined ? 0 : 1, 6);
  const asked = query.subarray(12, question.end);
  if (address === undefined) return Buffer.concat([header, asked]);
  const record = Buffer.alloc(16);
  record.writeUInt16BE(0xc00c, 0); // the name of the question
  record.writeUInt16BE(1, 2);
  record.writeUInt16BE(1, 4);
  record.writeUInt32BE(ttlSeconds, 6);
  record.writeUInt16BE(4, 10);
  for (const [i, part] of address.split('.').entries()) record[12 + i] = Number(part);
  return Buffer.concat([header, asked, record]);
}

/** For the ledger: what is no letter, digit, dot, hyphen or underscore is escaped. */
function printable(name: string): string {
  return name === ''
    ? '.'
    : name.replace(/[^A-Za-z0-9._-]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`).toLowerCase();
}
