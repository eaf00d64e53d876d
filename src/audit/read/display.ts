// File names and other found text as they may stand in a report: control characters, escapes and bidirectional controls made visible,
// so that a name cannot rewrite the reader's terminal.

const hostile = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]|\udb40[\udc00-\udc7f]/gu;

export function display(text: string): string {
  return text.replace(hostile, (char) => {
    const code = char.codePointAt(0) ?? 0;
    return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}
