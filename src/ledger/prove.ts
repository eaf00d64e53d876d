// Offline proofs that an entry is in the log: C2SP tlog-proof, one text file with the index, the path and the signed checkpoint.
import { IntramurError } from '../core/index.ts';
import { acknowledged } from './acknowledged.ts';
import { openCheckpoint } from './checkpoint.ts';
import { type Hash, hashBytes, leafHash } from './merkle.ts';
import { decodeBase64, NoteError, parseVkey } from './note.ts';
import { inclusionProof, verifyInclusion } from './proof.ts';

const firstLine = 'c2sp.org/tlog-proof@v1';

/** The proof of entry `index` against the checkpoint of all that was acknowledged. */
export async function proveEntry(directory: string, index: number): Promise<string> {
  const { note, size, reader } = await acknowledged(directory);
  if (!Number.isSafeInteger(index) || index < 0 || index >= size)
    throw new IntramurError('CONFIG_NOT_FOUND', `the ledger has no entry ${index}`);
  const hashes = await inclusionProof(index, size, (height, at) => reader.node(height, at));
  const lines = [firstLine, `index ${index}`, ...hashes.map((hash) => Buffer.from(hash).toString('base64')), '', note];
  return lines.join('\n');
}

export type ProofVerdict =
  | { readonly ok: true; readonly index: number; readonly size: number }
  | { readonly ok: false; readonly reason: string };

/** Whether `proof` shows that exactly these bytes are in the log of `vkey`. */
export function verifyProof(proof: string, entry: Uint8Array, vkey: string): ProofVerdict {
  try {
    const { index, hashes, note } = parseProof(proof);
    const { size, root } = openCheckpoint(note, parseVkey(vkey));
    if (verifyInclusion(leafHash(entry), index, size, hashes, root)) return { ok: true, index, size };
    return { ok: false, reason: 'the entry does not lead to the root of the checkpoint' };
  } catch (fault) {
    if (fault instanceof NoteError || fault instanceof RangeError) return { ok: false, reason: fault.message };
    throw fault;
  }
}

function parseProof(proof: string): { index: number; hashes: Hash[]; note: string } {
  const blank = proof.indexOf('\n\n');
  const [first, ...rest] = proof.slice(0, Math.max(0, blank)).split('\n');
  const [indexLine, ...path] = rest[0]?.startsWith('extra ') ? rest.slice(1) : rest;
  const index = /^index (0|[1-9]\d{0,15})$/.exec(indexLine ?? '')?.[1];
  // A tree has at most 2^53 leaves here, so a path has at most 53 hashes.
  if (first !== firstLine || index === undefined || path.length > 53) throw new NoteError('not a tlog-proof');
  const hashes = path.map((line) => {
    const hash = decodeBase64(line);
    if (hash?.length !== hashBytes) throw new NoteError('a hash of the proof is malformed');
    return hash;
  });
  return { index: Number(index), hashes, note: proof.slice(blank + 2) };
}
