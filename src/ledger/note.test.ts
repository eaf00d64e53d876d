// The published examples of C2SP signed-note, C2SP tlog-checkpoint and golang.org/x/mod/sumdb/note, then what a forger would try.
import { describe, expect, it } from 'vitest';
import { openCheckpoint, parseCheckpointText, signCheckpoint } from './checkpoint.ts';
import { emptyRoot } from './merkle.ts';
import { generateSigner, openNote, parseNote, parseSignerKey, parseVkey, signNote } from './note.ts';

const vkey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const skey = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const peter = '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const enoch = '— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n';

describe('published examples', () => {
  it('signs the text of sumdb/note to the published signature', () => {
    expect(signNote(text, parseSignerKey(skey))).toBe(`${text}\n${peter}`);
    expect(parseSignerKey(skey).verifier.vkey).toBe(vkey);
  });

  it('opens it, alone and beside a signature of a key that is not known', () => {
    const enochKey = 'EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop';
    expect(openNote(`${text}\n${peter}`, parseVkey(vkey))).toBe(text);
    expect(openNote(`${text}\n${peter}${enoch}`, parseVkey(vkey))).toBe(text);
    expect(openNote(`${text}\n${peter}${enoch}`, parseVkey(enochKey))).toBe(text);
  });

  it('opens the example of the C2SP specification', () => {
    const example = parseVkey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k');
    const note =
      'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';
    expect(openNote(note, example)).toBe('This is an example message.\n');
  });

  it('takes apart a text with empty lines at the last one', () => {
    const poem =
      'Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n';
    const { text: body, signatures } = parseNote(poem);
    expect([body, signatures.map(({ name, keyId }) => [name, keyId.toString(16)])]).toEqual([
      'Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n',
      [['quasimodo.example/salvatore', '367ba04b']],
    ]);
  });

  it('reads the checkpoint of the C2SP specification', () => {
    const { text: body } = parseNote(
      'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n',
    );
    const { origin, size, root } = parseCheckpointText(body);
    expect([origin, size, Buffer.from(root).toString('base64')]).toEqual([
      'example.com/behind-the-sofa',
      20852163,
      'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=',
    ]);
  });
});

describe('a forger', () => {
  it.each([
    ['another text', `${text.replace('know', 'knew')}\n${peter}`],
    ['another name over the same key id', `${text}\n${peter.replace('PeterNeumann', 'CarmenSandiego')}`],
    ['a signature of nobody known', `${text}\n${enoch}`],
    ['one flipped bit in the signature', `${text}\n${peter.replace('ZJkuB', 'ZJkuC')}`],
    ['a good and a bad signature of the same key', `${text}\n${peter}${peter.replace('ZJkuB', 'ZJkuC')}`],
    ['no signature', text],
    ['no blank line', text + peter],
    ['no newline at the end', `${text}\n${peter.trimEnd()}`],
    ['a control character', `${text}\u001b[2J\n\n${peter}`],
    ['a hyphen for the dash', `${text}\n${peter.replace('—', '-')}`],
    ['base64 with a space', `${text}\n${peter.replace('x08g', 'x08 g')}`],
    ['base64 without its padding', `${text}\n${peter.replace('=', '')}`],
    ['a signature that is cut short', `${text}\n— PeterNeumann x08gow==\n`],
  ])('%s is refused', (_name, note) => {
    expect(() => openNote(note, parseVkey(vkey))).toThrow();
    expect(() => openNote(Buffer.from(note), parseVkey(vkey))).toThrow();
  });

  it('bytes that are not UTF-8 are refused', () => {
    expect(() => openNote(Buffer.concat([Buffer.of(0xff), Buffer.from(`${text}\n${peter}`)]), parseVkey(vkey))).toThrow('UTF-8');
  });

  it.each([
    'PeterNeumann',
    'PeterNeumann+c74f20a3',
    'PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
    'PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==',
    'PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
    'Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
    '+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  ])('the verifier key %s is refused', (bad) => {
    expect(() => parseVkey(bad)).toThrow();
  });
});

describe('checkpoints', () => {
  const { signer } = generateSigner('log.example/one');
  const checkpoint = { origin: 'log.example/one', size: 7, root: emptyRoot };

  it('come back as they were signed', () => {
    const { origin, size, root } = openCheckpoint(signCheckpoint(checkpoint, signer), signer.verifier);
    expect({ origin, size, root: Buffer.from(root) }).toEqual({ ...checkpoint, root: Buffer.from(emptyRoot) });
  });

  it.each([
    ['a leading zero', '07\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n'],
    ['a negative size', '-7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n'],
    ['a size beyond 2^53', '9007199254740993\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n'],
    ['a short root', '7\n47DEQpj8HBQ=\n'],
    ['an extension line', '7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nmore\n'],
    ['no root', '7\n'],
  ])('%s is refused even when it is signed', (_name, rest) => {
    expect(() => openCheckpoint(signNote(`log.example/one\n${rest}`, signer), signer.verifier)).toThrow('not a checkpoint');
  });

  it('of another log, signed by the same key, is refused', () => {
    const other = signNote('log.example/two\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n', signer);
    expect(() => openCheckpoint(other, signer.verifier)).toThrow('log.example/two');
  });
});
