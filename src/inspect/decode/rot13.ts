/** The letter that stands for this one in ROT13. */
export function rotatedBy13(letter: string): string {
  const code = letter.charCodeAt(0);
  return String.fromCharCode((code & 31) <= 13 ? code + 13 : code - 13);
}
