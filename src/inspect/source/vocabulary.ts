// Words with a meaning of their own: those that name the shape of a program rather than a thing in it, and those that every page of
// code or English has some of. The lexer takes the table over.

export const KEYWORD = 1;
export const COMMON = 2;
/** What a line begins with that names the code of others; such a word is a keyword too. */
export const IMPORT = 4;

const keywords =
  'if else elif elsif for foreach while do switch case default break continue return goto try catch except finally throw raise ' +
  'class struct enum interface trait impl type typedef union namespace module package import export from require use using include define ' +
  'function func fn def lambda let var const static final public private protected ' +
  'new delete this self super null nil none undefined true false void int long short char float double bool boolean byte string ' +
  'async await yield match when where with as is in of not and or pass del begin end then unless until mut ref pub crate mod ' +
  'dyn auto template typename operator sizeof typeof instanceof extends implements';

const common =
  'the of and to in is it for on as with that this be are or not from if else return new const let var int void string ' +
  'function class def self import export public private static final while case break true false null none nil end then do ' +
  'type struct func fn pub use include define char unsigned long double float bool boolean get set add name value key id data ' +
  'list map file path error err test assert print println log len size length index item node ctx req res args out buf ptr ' +
  'param throws try catch throw async await yield use your you can will all an by at we may when';

const SLOTS = 4096;
const hashes = new Int32Array(SLOTS);
const kinds = new Uint8Array(SLOTS);

/** FNV-1a over the folded letters, as the lexer hashes words. */
export const WORD_SEED = 0x811c9dc5 | 0;
export const WORD_PRIME = 0x01000193;

function add(words: string, kind: number): void {
  for (const word of words.split(' ')) {
    let hash = WORD_SEED;
    for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), WORD_PRIME);
    let slot = (hash >>> 7) & (SLOTS - 1);
    while (hashes[slot] !== 0 && hashes[slot] !== hash) slot = (slot + 1) & (SLOTS - 1);
    hashes[slot] = hash;
    kinds[slot] = (kinds[slot] ?? 0) | kind;
  }
}
add(keywords, KEYWORD);
add(common, COMMON);
add('include import using use require from package', IMPORT);

/** KEYWORD, COMMON and IMPORT, or 0, of a word by its hash. */
export function kindOf(hash: number): number {
  for (let slot = (hash >>> 7) & (SLOTS - 1); ; slot = (slot + 1) & (SLOTS - 1)) {
    const held = hashes[slot] ?? 0;
    if (held === hash) return kinds[slot] ?? 0;
    if (held === 0) return 0;
  }
}

/** Hash and kind of each word. */
export function* everyMeaning(): Generator<[hash: number, kind: number]> {
  for (let slot = 0; slot < SLOTS; slot++) if (hashes[slot] !== 0) yield [hashes[slot] ?? 0, kinds[slot] ?? 0];
}
