// Inclusion and consistency proofs of RFC 6962 sections 2.1.1 and 2.1.2; verification after RFC 9162 sections 2.1.3.2 and 2.1.4.2.
import { emptyRoot, type Hash, nodeHash, splitPoint } from './merkle.ts';

/** The hash of the perfect subtree over the leaves [index * 2^height, (index + 1) * 2^height). */
export type NodeReader = (height: number, index: number) => Promise<Hash>;

/** PATH(index, D[0:size]): from the leaf's sibling up to the root's child. */
export async function inclusionProof(index: number, size: number, node: NodeReader): Promise<Hash[]> {
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) throw new RangeError(`entry ${index} is not in a tree of ${size}`);
  const path: Hash[] = [];
  let low = 0;
  let high = size;
  while (high - low > 1) {
    const middle = low + splitPoint(high - low);
    if (index < middle) {
      path.push(await rangeHash(middle, high, node));
      high = middle;
    } else {
      path.push(await rangeHash(low, middle, node));
      low = middle;
    }
  }
  return path.toReversed();
}

/** PROOF(first, D[0:second]): that the first `first` leaves of the tree of `second` are those of the tree of `first`. */
export async function consistencyProof(first: number, second: number, node: NodeReader): Promise<Hash[]> {
  if (first < 0 || first > second) throw new RangeError(`a tree of ${first} is not a prefix of a tree of ${second}`);
  if (first === 0 || first === second) return [];
  const path: Hash[] = [];
  let low = 0;
  let high = second;
  while (first !== high) {
    const middle = low + splitPoint(high - low);
    if (first <= middle) {
      path.push(await rangeHash(middle, high, node));
      high = middle;
    } else {
      path.push(await rangeHash(low, middle, node));
      low = middle;
    }
  }
  if (low !== 0) path.push(await rangeHash(low, high, node));
  return path.toReversed();
}

export function verifyInclusion(leaf: Hash, index: number, size: number, path: readonly Hash[], root: Hash): boolean {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  let position = index;
  let last = size - 1;
  let node = leaf;
  for (const sibling of path) {
    if (last === 0) return false;
    if (position % 2 === 1 || position === last) {
      node = nodeHash(sibling, node);
      while (position % 2 === 0 && position !== 0) {
        position /= 2;
        last = half(last);
      }
    } else {
      node = nodeHash(node, sibling);
    }
    position = half(position);
    last = half(last);
  }
  return last === 0 && equal(node, root);
}

export function verifyConsistency(first: number, second: number, firstRoot: Hash, secondRoot: Hash, path: readonly Hash[]): boolean {
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(second) || first < 0 || first > second) return false;
  if (first === second) return path.length === 0 && equal(firstRoot, secondRoot);
  if (first === 0) return path.length === 0;
  let position = first - 1;
  let last = second - 1;
  while (position % 2 === 1) {
    position = half(position);
    last = half(last);
  }
  const [head, ...tail] = isPowerOfTwo(first) ? [firstRoot, ...path] : path;
  if (head === undefined) return false;
  let older = head;
  let newer = head;
  for (const node of tail) {
    if (last === 0) return false;
    if (position % 2 === 1 || position === last) {
      older = nodeHash(node, older);
      newer = nodeHash(node, newer);
      while (position % 2 === 0 && position !== 0) {
        position /= 2;
        last = half(last);
      }
    } else {
      newer = nodeHash(newer, node);
    }
    position = half(position);
    last = half(last);
  }
  return last === 0 && equal(older, firstRoot) && equal(newer, secondRoot);
}

/** MTH(D[0:size]), the root that the log had at an earlier size. */
export async function rootAt(size: number, node: NodeReader): Promise<Hash> {
  return size === 0 ? emptyRoot : rangeHash(0, size, node);
}

/** MTH(D[low:high]) where `low` is a multiple of the largest power of two in the range, as RFC 6962 always splits it. */
async function rangeHash(low: number, high: number, node: NodeReader): Promise<Hash> {
  const width = high - low;
  if (isPowerOfTwo(width)) return node(Math.log2(width), low / width);
  const middle = low + splitPoint(width);
  return nodeHash(await rangeHash(low, middle, node), await rangeHash(middle, high, node));
}

function isPowerOfTwo(n: number): boolean {
  return n === 1 || splitPoint(n) * 2 === n;
}

function half(n: number): number {
  return Math.floor(n / 2);
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
