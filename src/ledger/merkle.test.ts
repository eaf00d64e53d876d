// Published vectors of the certificate-transparency test data (RFC 6962 reference implementations), then properties against the
// recursive definition of RFC 6962 section 2.1.
import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CompactRange, emptyRoot, type Hash, leafHash, nodeHash, splitPoint } from './merkle.ts';
import { consistencyProof, inclusionProof, rootAt, verifyConsistency, verifyInclusion } from './proof.ts';

const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map((hex) =>
  Buffer.from(hex, 'hex'),
);
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** The definition, word for word: slow and without a compact range. */
function treeHash(hashes: readonly Hash[]): Hash {
  const [first] = hashes;
  if (first === undefined) return emptyRoot;
  if (hashes.length === 1) return first;
  const k = splitPoint(hashes.length);
  return nodeHash(treeHash(hashes.slice(0, k)), treeHash(hashes.slice(k)));
}

function nodesOf(hashes: readonly Hash[]): (height: number, index: number) => Promise<Hash> {
  return async (height, index) => treeHash(hashes.slice(index * 2 ** height, (index + 1) * 2 ** height));
}

const generated = (count: number): Hash[] => Array.from({ length: count }, (_, i) => leafHash(Buffer.from(`leaf ${i}`)));

describe('published vectors', () => {
  it('the roots of the eight classic leaves at every size', () => {
    const range = new CompactRange();
    const seen = [hex(range.root())];
    for (const leaf of leaves) {
      range.append(leafHash(leaf));
      seen.push(hex(range.root()));
    }
    expect(seen).toEqual(roots);
  });

  // From the RFC 6962 proof vectors that the public implementations share: index, size, path.
  it.each<[number, number, string[]]>([
    [0, 1, []],
    [
      0,
      8,
      [
        '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
      ],
    ],
    [
      5,
      8,
      [
        'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
        'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
        'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      ],
    ],
    [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
    [
      1,
      5,
      [
        '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      ],
    ],
  ])('inclusion of leaf %i in a tree of %i', async (index, size, path) => {
    const hashes = leaves.map(leafHash);
    const proof = await inclusionProof(index, size, nodesOf(hashes.slice(0, size)));
    expect(proof.map(hex)).toEqual(path);
    expect(verifyInclusion(hashes[index] ?? emptyRoot, index, size, proof, Buffer.from(roots[size] ?? '', 'hex'))).toBe(true);
  });

  it.each<[number, number, string[]]>([
    [1, 1, []],
    [
      1,
      8,
      [
        '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
      ],
    ],
    [
      6,
      8,
      [
        '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
        'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
        'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      ],
    ],
    [
      2,
      5,
      [
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      ],
    ],
  ])('consistency of %i with %i', async (first, second, path) => {
    const hashes = leaves.map(leafHash);
    const proof = await consistencyProof(first, second, nodesOf(hashes.slice(0, second)));
    expect(proof.map(hex)).toEqual(path);
    const rootOf = (size: number): Hash => Buffer.from(roots[size] ?? '', 'hex');
    expect(verifyConsistency(first, second, rootOf(first), rootOf(second), proof)).toBe(true);
  });
});

it('10,000 generated trees give one known hash', () => {
  // Accumulated over all roots from size 1 to 10,000 of the leaves "leaf 0", "leaf 1", …, computed by a
  // separate program (Python, hashlib, the recursive definition).
  const range = new CompactRange();
  const all: string[] = [];
  for (const leaf of generated(10_000)) {
    range.append(leaf);
    all.push(hex(range.root()));
  }
  expect(all[999]).toBe(hex(treeHash(generated(1000))));
  expect(hash('sha256', all.join('\n'))).toBe('7888cace7540de7a12860d6078e2016a0e3bfbdc9ffdcc9b6e33861a71e992e0');
});

describe('properties', () => {
  const sizes = fc.integer({ min: 1, max: 300 });

  it('a compact range is the recursive tree', () => {
    fc.assert(
      fc.property(sizes, (size) => {
        const range = new CompactRange();
        for (const leaf of generated(size)) range.append(leaf);
        return hex(range.root()) === hex(treeHash(generated(size)));
      }),
      { numRuns: 30 },
    );
  });

  it('every inclusion proof verifies, and no proof verifies for another leaf, index or size', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), fc.nat(), async (size, pick, other) => {
        const hashes = generated(size);
        const index = pick % size;
        const proof = await inclusionProof(index, size, nodesOf(hashes));
        const root = treeHash(hashes);
        const leaf = hashes[index] ?? emptyRoot;
        expect(verifyInclusion(leaf, index, size, proof, root)).toBe(true);
        expect(verifyInclusion(leafHash(Buffer.from('another')), index, size, proof, root)).toBe(false);
        const elsewhere = other % size;
        expect(verifyInclusion(leaf, elsewhere, size, proof, root)).toBe(elsewhere === index);
        expect(verifyInclusion(leaf, index, size, [...proof, root], root)).toBe(false);
        expect(verifyInclusion(leaf, index, size, proof.slice(1), root)).toBe(size === 1);
      }),
      { numRuns: 60 },
    );
  });

  it('every consistency proof verifies, and none for a log that was rewritten', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), async (second, pick) => {
        const first = 1 + (pick % second);
        const hashes = generated(second);
        const rewritten = [leafHash(Buffer.from('rewritten')), ...hashes.slice(1)];
        const proof = await consistencyProof(first, second, nodesOf(hashes));
        const before = treeHash(hashes.slice(0, first));
        expect(hex(await rootAt(first, nodesOf(hashes)))).toBe(hex(before));
        expect(verifyConsistency(first, second, before, treeHash(hashes), proof)).toBe(true);
        expect(verifyConsistency(first, second, treeHash(rewritten.slice(0, first)), treeHash(hashes), proof)).toBe(false);
        const forged = await consistencyProof(first, second, nodesOf(rewritten));
        expect(verifyConsistency(first, second, before, treeHash(rewritten), forged)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });
});
