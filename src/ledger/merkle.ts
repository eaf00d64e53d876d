// The Merkle tree of RFC 6962 section 2.1 over SHA-256. Leaves are hashed with 0x00, nodes with 0x01, so that a node can never be
// passed off as a leaf. Sizes and indexes are numbers below 2^53, so halving is done by division, never by 32-bit shifts.
import { hash } from 'node:crypto';

/** 32 bytes. */
export type Hash = Uint8Array;

export const hashBytes = 32;

/** MTH of the empty list: the hash of nothing. */
export const emptyRoot: Hash = hash('sha256', '', 'buffer');

// Reused between calls: hashing is synchronous, and an entry is at most 65,535 bytes.
const leafScratch = Buffer.alloc(1 + 0xffff);
const nodeScratch = Buffer.alloc(1 + 2 * hashBytes);
nodeScratch[0] = 1;

export function leafHash(entry: Uint8Array): Hash {
  if (entry.length >= leafScratch.length) throw new RangeError('an entry is longer than 65,535 bytes');
  leafScratch.set(entry, 1);
  return prefixedLeafHash(leafScratch.subarray(0, 1 + entry.length));
}

/** @param prefixed an entry behind one byte, which is 0x00 */
export function prefixedLeafHash(prefixed: Uint8Array): Hash {
  return sha256(prefixed);
}

export function nodeHash(left: Hash, right: Hash): Hash {
  nodeScratch.set(left, 1);
  nodeScratch.set(right, 1 + hashBytes);
  return sha256(nodeScratch);
}

/** By way of a string of 32 characters, one for each byte: Node makes that in a third of the time that a Buffer of its own memory takes. */
function sha256(bytes: Uint8Array): Hash {
  const digest = Buffer.allocUnsafe(hashBytes);
  digest.write(hash('sha256', bytes, 'binary'), 'latin1');
  return digest;
}

/** The largest power of two below `n`, for `n` > 1: where RFC 6962 splits a list of `n`. */
export function splitPoint(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** The roots of the perfect subtrees that make up a tree, largest first: all that appending needs to remember. */
export class CompactRange {
  #size = 0;
  readonly #roots: Hash[] = [];

  get size(): number {
    return this.#size;
  }

  /**
   * Adds a leaf hash.
   * @param onNode told of every perfect subtree that is now complete, the leaf itself first, with its height
   */
  append(leaf: Hash, onNode: (height: number, hash: Hash) => void = () => {}): void {
    let node = leaf;
    let height = 0;
    onNode(height, node);
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      const left = this.#roots.pop();
      if (left === undefined) throw new RangeError('a compact range has lost a subtree');
      node = nodeHash(left, node);
      height += 1;
      onNode(height, node);
    }
    this.#roots.push(node);
    this.#size += 1;
  }

  /** Adds a perfect subtree of 2^height leaves. INVARIANT: the size must be a multiple of that many leaves. */
  appendSubtree(height: number, root: Hash): void {
    const width = 2 ** height;
    if (this.#size % width !== 0) throw new RangeError('a subtree must begin at a multiple of its width');
    let node = root;
    for (let rest = this.#size / width; rest % 2 === 1; rest = (rest - 1) / 2) {
      const left = this.#roots.pop();
      if (left === undefined) throw new RangeError('a compact range has lost a subtree');
      node = nodeHash(left, node);
    }
    this.#roots.push(node);
    this.#size += width;
  }

  root(): Hash {
    let node: Hash | undefined;
    for (let i = this.#roots.length - 1; i >= 0; i -= 1) {
      const left = this.#roots[i];
      if (left !== undefined) node = node === undefined ? left : nodeHash(left, node);
    }
    return node ?? emptyRoot;
  }
}
