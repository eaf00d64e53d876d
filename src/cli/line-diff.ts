// Two versions of a text file that people write, line by line.

export interface Version {
  readonly name: string;
  readonly text: string;
}

/** Lines that would go and lines that would come, in the order of the files. */
export function lineDiff(before: Version, after: Version): string {
  const old = before.text.split('\n');
  const next = after.text.split('\n');
  // Longest common subsequence; files that people write have tens of lines, and what has thousands is shown whole.
  if (Math.max(old.length, next.length) > 2000)
    return `--- ${before.name}\n+++ ${after.name}\n${[...old.map((line) => `-${line}`), ...next.map((line) => `+${line}`)].join('\n')}\n`;
  const table = Array.from({ length: old.length + 1 }, () => new Array<number>(next.length + 1).fill(0));
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = next.length - 1; j >= 0; j--) {
      const row = table[i];
      if (row !== undefined)
        row[j] = old[i] === next[j] ? (table[i + 1]?.[j + 1] ?? 0) + 1 : Math.max(table[i + 1]?.[j] ?? 0, row[j + 1] ?? 0);
    }
  }
  const out = [`--- ${before.name}`, `+++ ${after.name}`];
  let i = 0;
  let j = 0;
  while (i < old.length || j < next.length) {
    if (i < old.length && j < next.length && old[i] === next[j]) {
      out.push(` ${old[i] ?? ''}`);
      i++;
      j++;
    } else if (j >= next.length || (i < old.length && (table[i + 1]?.[j] ?? 0) >= (table[i]?.[j + 1] ?? 0))) out.push(`-${old[i++] ?? ''}`);
    else out.push(`+${next[j++] ?? ''}`);
  }
  return `${out.join('\n')}\n`;
}
