// How code travels: everything an agent does to it on the way into a prompt, and what somebody does who hides it. A snippet comes
// in as lines and leaves as the bytes of a payload.
import zlib from 'node:zlib';

export type Wrapping = (
  lines: readonly string[],
  random: () => number,
) => { readonly text: string | Buffer; readonly contentType?: string };

const code = (lines: readonly string[]) => `${lines.join('\n')}\n`;
const b64 = (data: string | Buffer) => Buffer.from(data).toString('base64');
const say = (text: string) => ({ text: `Please look at this and tell me what it does:\n${text}\nThank you.` });
const perLine =
  (change: (line: string, i: number) => string): Wrapping =>
  (lines) =>
    say(lines.map(change).join('\n'));
const encoded =
  (encode: (text: string) => string): Wrapping =>
  (lines) =>
    say(encode(code(lines)));
const json = (value: unknown) => ({ text: JSON.stringify(value), contentType: 'application/json' });
const call = (contents: readonly string[]) =>
  json({ model: 'm', stream: true, messages: contents.map((content) => ({ role: 'user', content })) });

const words = new Set(
  'if else for while do switch case default break continue return goto try catch except finally throw raise class struct enum interface trait impl type namespace module package import export from require use using include define function func fn def lambda let var const static final public private protected new delete this self super null nil None undefined true false True False void int long short char float double bool boolean byte string async await yield match when where with as is in of not and or pass del begin end then unless until mut ref pub crate mod dyn auto template typename operator sizeof typeof instanceof extends implements get set map list len range print foreach elif elsif'.split(
    ' ',
  ),
);

/** A new name for each name: all of them, or a share. */
function renamed(text: string, share: number, random: () => number): string {
  const names = new Map<string, string>();
  return text.replace(/[A-Za-z_][A-Za-z0-9_]*/g, (name) => {
    if (words.has(name)) return name;
    const known = names.get(name);
    if (known !== undefined) return known;
    const other = random() < share ? `n${Math.floor(random() * 1e9).toString(36)}x` : name;
    names.set(name, other);
    return other;
  });
}

const uncommented = (lines: readonly string[]) =>
  lines
    .filter((line) => !/^\s*(?:\/\/|#(?!include|define|if|endif|pragma)|\*|\/\*)/.test(line))
    .map((line) => line.replace(/\s+\/\/.*$/, ''));
const hexdump = (data: Buffer) =>
  Array.from({ length: Math.ceil(data.length / 16) }, (_, i) => {
    const row = data.subarray(i * 16, i * 16 + 16);
    return `${(i * 16).toString(16).padStart(8, '0')}: ${(row.toString('hex').match(/.{1,4}/g) ?? []).join(' ').padEnd(39)}  ${row.toString('latin1').replace(/[^ -~]/g, '.')}`;
  }).join('\n');
const rotate = (text: string, shift: number) =>
  text.replace(/[a-z]/gi, (c) => String.fromCharCode((((c.charCodeAt(0) | 32) - 97 + shift) % 26) + (c < 'a' ? 65 : 97)));
const homoglyphs: Readonly<Record<string, string>> = { a: 'а', e: 'е', o: 'о', p: 'р', c: 'с', x: 'х', i: 'і' };
const tar = (data: Buffer) => {
  const header = Buffer.alloc(512);
  header.write('a.txt', 0);
  header.write(data.length.toString(8).padStart(11, '0'), 124);
  header.write('ustar', 257);
  return Buffer.concat([header, data, Buffer.alloc(1536 - (data.length % 512))]);
};
const shuffled = (lines: readonly string[], random: () => number) =>
  lines
    .map((line) => ({ line, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ line }) => line);

export const wrappings: Readonly<Record<string, Wrapping>> = {
  verbatim: (lines) => say(code(lines)),
  'markdown fence': (lines) => say(`\`\`\`\n${code(lines)}\`\`\``),
  're-indented': perLine((line) => `    ${line.replace(/^\s+/, (s) => s.replaceAll('\t', '  ').repeat(2))}`),
  reformatted: encoded((text) => text.replace(/\s*([{}();,=+])\s*/g, ' $1 ').replace(/[ \t]+/g, ' ')),
  minified: (lines) =>
    say(
      uncommented(lines)
        .map((line) => line.trim())
        .join(' ')
        .replace(/ ?([{}();,=+<>]) ?/g, '$1'),
    ),
  'comments stripped': (lines) => say(code(uncommented(lines))),
  '30 % of names changed': (lines, random) => say(renamed(code(lines), 0.3, random)),
  'all names changed': (lines, random) => say(renamed(code(lines), 1, random)),
  'JSON call': (lines) => call([code(lines)]),
  'JSON in JSON': (lines) => call([JSON.stringify({ file: 'a', content: code(lines) })]),
  'JSON in JSON in JSON': (lines) => call([JSON.stringify({ result: JSON.stringify({ content: code(lines) }) })]),
  'cat -n': perLine((line, i) => `${String(i + 12).padStart(6)}\t${line}`),
  'arrow line numbers in JSON': (lines) => call([lines.map((line, i) => `${String(i + 12).padStart(6)}→${line}`).join('\n')]),
  'grep -n': perLine((line, i) => `src/some/file.ext:${i + 12}:${line}`),
  'unified diff': perLine((line, i) => `${'+- '[i % 3]}${line}`),
  'mail quote': perLine((line) => `> ${line}`),
  'markdown table': perLine((line) => `| ${line.replaceAll('|', '\\|')} |`),
  'XML escaped': encoded(
    (text) => `<file>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')}</file>`,
  ),
  'in a block comment': encoded((text) => `/**\n${text.replaceAll('*/', '* /').replace(/^/gm, ' | ')}*/`),
  'junk lines between': (lines) => say(lines.flatMap((line, i) => (i % 3 === 2 ? [line, `lorem ipsum ${i} dolor`] : [line])).join('\n')),
  '15 % of lines edited': (lines, random) => say(lines.map((line) => (random() < 0.15 ? line.replace(/\w+/, 'edited') : line)).join('\n')),
  '20 % of lines dropped': (lines, random) => say(lines.filter(() => random() >= 0.2).join('\n')),
  'lines shuffled': (lines, random) => say(shuffled(lines, random).join('\n')),
  'upper case': encoded((text) => text.toUpperCase()),
  'snake case': encoded((text) => text.replace(/([a-z])([A-Z])/g, (_m, a: string, b: string) => `${a}_${b.toLowerCase()}`)),
  base64: encoded(b64),
  'base64 in lines': encoded((text) => (b64(text).match(/.{1,76}/g) ?? []).join('\n')),
  'base64url in JSON': (lines) => call([Buffer.from(code(lines)).toString('base64url')]),
  'base64 twice': encoded((text) => b64(b64(text))),
  'data URI': encoded((text) => `data:text/plain;base64,${b64(text)}`),
  hex: encoded((text) => Buffer.from(text).toString('hex')),
  xxd: encoded((text) => hexdump(Buffer.from(text))),
  percent: encoded((text) => [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')),
  'form encoding': (lines) => ({
    text: new URLSearchParams({ q: code(lines) }).toString(),
    contentType: 'application/x-www-form-urlencoded',
  }),
  'unicode escapes': encoded((text) => [...text].map((c) => `\\u${(c.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`).join('')),
  'hex escapes': encoded((text) => [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')),
  'decimal entities': encoded((text) => [...text].map((c) => `&#${c.codePointAt(0)};`).join('')),
  'quoted-printable': encoded((text) =>
    text.replace(/[=_]/g, (c) => `=${c.charCodeAt(0).toString(16).toUpperCase()}`).replace(/[^\n]{70}/g, '$&=\n'),
  ),
  'gzip in base64': encoded((text) => b64(zlib.gzipSync(text))),
  'brotli in base64': encoded((text) => b64(zlib.brotliCompressSync(text))),
  'zstd in base64': encoded((text) => b64(zlib.zstdCompressSync(text))),
  'tar.gz in base64': encoded((text) => b64(zlib.gzipSync(tar(Buffer.from(text))))),
  'gzip body': (lines) => ({ text: zlib.gzipSync(code(lines)) }),
  'UTF-16 in base64': encoded((text) => b64(Buffer.from(text, 'utf16le'))),
  'zero-width joiners': encoded((text) => text.replace(/[a-z]{2}/gi, '$&\u200b')),
  homoglyphs: encoded((text) => text.replace(/[aeopcxi]/g, (c) => homoglyphs[c] ?? c)),
  'full-width': encoded((text) => text.replace(/[!-~]/g, (c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0))),
  'combining marks': encoded((text) => text.replace(/[a-z]/g, '$&\u0301')),
  'tag characters': encoded((text) =>
    [...text].map((c) => (c >= ' ' && c <= '~' ? String.fromCodePoint(0xe0000 + c.charCodeAt(0)) : c)).join(''),
  ),
  ROT13: encoded((text) => rotate(text, 13)),
  'Caesar by 7': encoded((text) => rotate(text, 7)),
  reversed: encoded((text) => [...text].reverse().join('')),
  'lines reversed': perLine((line) => [...line].reverse().join('')),
  'spaced out': encoded((text) => [...text].map((c) => (c === '\n' ? c : `${c} `)).join('')),
  'string concatenation': perLine((line) =>
    line.trim() === '' ? '' : (line.replace(/["'\\]/g, ' ').match(/.{1,24}/g) ?? []).map((part) => `"${part}"`).join(' + ') + ' + "\\n" +',
  ),
  'character codes': encoded((text) => `[${[...Buffer.from(text)].join(', ')}]`),
  'XOR in hex': encoded((text) => Buffer.from([...Buffer.from(text)].map((byte) => byte ^ 0x5b)).toString('hex')),
  'in three messages': (lines) => {
    const third = Math.ceil(lines.length / 3);
    return call([lines.slice(0, third), lines.slice(third, 2 * third), lines.slice(2 * third)].map((part) => part.join('\n')));
  },
  'a line a message': (lines) => call(lines),
  'base64 in pieces of 120': (lines) => call(b64(code(lines)).match(/.{1,120}/g) ?? []),
};
