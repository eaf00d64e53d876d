// Signed notes, C2SP signed-note: a text, a blank line, and one line for each signature. Only Ed25519 (type 0x01) is signed and
// verified here; signatures of other keys and types (witnesses, ML-DSA) are carried along and ignored, as the specification demands.
import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, type KeyObject, sign, verify } from 'node:crypto';

export interface Verifier {
  readonly name: string;
  readonly keyId: number;
  readonly key: KeyObject;
  /** `name+keyid+base64(type || public key)` */
  readonly vkey: string;
}

export interface Signer {
  readonly verifier: Verifier;
  readonly key: KeyObject;
}

export interface NoteSignature {
  readonly name: string;
  readonly keyId: number;
  readonly signature: Uint8Array;
}

export interface Note {
  /** Ends in a newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

const ed25519 = 0x01;
const maxNoteBytes = 1 << 20;
const maxSignatures = 128;
// The fixed DER that precedes the 32 bytes of an Ed25519 key (RFC 8410).
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const keyName = /^[^\s+\p{White_Space}]+$/u;

export class NoteError extends Error {
  override readonly name = 'NoteError';
}

/** Reads a verifier key; throws NoteError for anything but an Ed25519 key whose id follows from its name and bytes. */
export function parseVkey(vkey: string): Verifier {
  const [name, id, key, ...more] = splitKey(vkey);
  const material = decodeBase64(key ?? '');
  if (more.length > 0 || !name || !id || !keyName.test(name) || material?.length !== 33 || material[0] !== ed25519) {
    throw new NoteError('not a verifier key for Ed25519');
  }
  const verifier = verifierFor(name, material.subarray(1));
  if (hexId(verifier.keyId) !== id) throw new NoteError('the key id of a verifier key does not match its key');
  return verifier;
}

/** Reads a signer key in the text form of golang.org/x/mod/sumdb/note: `PRIVATE+KEY+name+keyid+base64(type || seed)`. */
export function parseSignerKey(text: string): Signer {
  const prefix = 'PRIVATE+KEY+';
  const [name, id, key, ...more] = text.startsWith(prefix) ? splitKey(text.slice(prefix.length)) : [];
  const material = decodeBase64(key ?? '');
  if (more.length > 0 || !name || !id || !keyName.test(name) || material?.length !== 33 || material[0] !== ed25519) {
    throw new NoteError('not a signer key for Ed25519');
  }
  const signer = signerFor(name, material.subarray(1));
  if (hexId(signer.verifier.keyId) !== id) throw new NoteError('the key id of a signer key does not match its key');
  return signer;
}

/** A new signer and its key text. */
export function generateSigner(name: string): { readonly signer: Signer; readonly keyText: string } {
  if (!keyName.test(name)) throw new NoteError('the name of a key must not be empty or hold spaces or plus signs');
  const der = generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' });
  const seed = der.subarray(pkcs8Prefix.length);
  const signer = signerFor(name, seed);
  const material = Buffer.concat([Buffer.of(ed25519), seed]).toString('base64');
  return { signer, keyText: `PRIVATE+KEY+${name}+${hexId(signer.verifier.keyId)}+${material}` };
}

/** Signs a text, which must be well formed and end in a newline. */
export function signNote(text: string, { verifier, key }: Signer): string {
  if (!text.endsWith('\n') || !isPlain(text))
    throw new NoteError('the text of a note must end in a newline and hold no control characters');
  const id = Buffer.alloc(4);
  id.writeUInt32BE(verifier.keyId);
  const signature = Buffer.concat([id, sign(null, Buffer.from(text), key)]).toString('base64');
  return `${text}\n— ${verifier.name} ${signature}\n`;
}

/** Takes a note apart without trusting it. */
export function parseNote(bytes: Uint8Array | string): Note {
  const note = typeof bytes === 'string' ? bytes : decodeUtf8(bytes);
  if (note.length > maxNoteBytes || !isPlain(note)) throw new NoteError('not a signed note');
  const blank = note.lastIndexOf('\n\n');
  if (blank < 0 || !note.endsWith('\n')) throw new NoteError('a note without signatures');
  const lines = note.slice(blank + 2, -1).split('\n');
  if (lines.length > maxSignatures) throw new NoteError('a note with too many signatures');
  return { text: note.slice(0, blank + 1), signatures: lines.map(parseSignature) };
}

/** The text of a note that `verifier` signed. INVARIANT: never returns text that no signature of the known key covers. */
export function openNote(bytes: Uint8Array | string, verifier: Verifier): string {
  const { text, signatures } = parseNote(bytes);
  const known = signatures.filter(({ name, keyId }) => name === verifier.name && keyId === verifier.keyId);
  if (known.length === 0) throw new NoteError(`no signature by ${verifier.name}`);
  const data = Buffer.from(text);
  if (!known.every(({ signature }) => signature.length === 64 && verify(null, data, verifier.key, signature))) {
    throw new NoteError(`the signature by ${verifier.name} does not verify`);
  }
  return text;
}

function parseSignature(line: string): NoteSignature {
  const [, name, encoded] = /^— ([^ ]+) ([^ ]+)$/.exec(line) ?? [];
  const bytes = decodeBase64(encoded ?? '');
  if (name === undefined || bytes === undefined || bytes.length < 5 || !keyName.test(name))
    throw new NoteError('a signature line is malformed');
  return { name, keyId: bytes.readUInt32BE(0), signature: bytes.subarray(4) };
}

function signerFor(name: string, seed: Uint8Array): Signer {
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return { key, verifier: verifierFor(name, spki.subarray(spkiPrefix.length)) };
}

function verifierFor(name: string, publicKey: Uint8Array): Verifier {
  const material = Buffer.concat([Buffer.of(ed25519), publicKey]);
  const keyId = hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), material]), 'buffer').readUInt32BE(0);
  const key = createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey]), format: 'der', type: 'spki' });
  return { name, keyId, key, vkey: `${name}+${hexId(keyId)}+${material.toString('base64')}` };
}

/** Splits at the first two plus signs: base64 holds plus signs of its own. */
function splitKey(text: string): string[] {
  const [name, id, ...rest] = text.split('+');
  return name === undefined || id === undefined ? [] : [name, id, rest.join('+')];
}

function hexId(keyId: number): string {
  return keyId.toString(16).padStart(8, '0');
}

function isPlain(text: string): boolean {
  // The specification forbids exactly these.
  return !/[\u0000-\u0009\u000b-\u001f]/.test(text) && text.isWellFormed();
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new NoteError('a note is not UTF-8');
  }
}

/** Strict: what Buffer would skip or mend is refused. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
