// Comparisons of versions, as `tools:` and the register write them.

/** `>=2.1.198 <3`: every comparison holds. `unknown` when `version` is no version. */
export function satisfies(version: string, range: string): boolean | 'unknown' {
  const own = parseVersion(version);
  if (!own) return 'unknown';
  const comparisons = [...range.matchAll(/([<>]=?|=)?\s*(\d[0-9A-Za-z.+-]*)/g)];
  return (
    comparisons.length > 0 &&
    comparisons.every(([, operator = '=', wanted = '']) => {
      const other = parseVersion(wanted);
      const order = other ? compare(own, other) : Number.NaN;
      switch (operator) {
        case '>=':
          return order >= 0;
        case '>':
          return order > 0;
        case '<=':
          return order <= 0;
        case '<':
          return order < 0;
        default:
          return order === 0;
      }
    })
  );
}

interface Version {
  readonly numbers: readonly number[];
  readonly prerelease: readonly string[];
}

function parseVersion(text: string): Version | undefined {
  const match = /^\s*v?(\d{1,9}(?:\.\d{1,9}){0,2})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]*)?(?:\s|$)/.exec(text);
  if (!match?.[1]) return undefined;
  return { numbers: match[1].split('.').map(Number), prerelease: match[2]?.split('.') ?? [] };
}

/** Precedence of Semantic Versioning 2.0.0, section 11; a missing part is 0. */
function compare(a: Version, b: Version): number {
  for (let i = 0; i < 3; i++) {
    const difference = (a.numbers[i] ?? 0) - (b.numbers[i] ?? 0);
    if (difference !== 0) return difference;
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0) return b.prerelease.length - a.prerelease.length;
  for (let i = 0; i < Math.max(a.prerelease.length, b.prerelease.length); i++) {
    const [x, y] = [a.prerelease[i], b.prerelease[i]];
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
    if (x === y) continue;
    const [isNumber, isOther] = [/^\d+$/.test(x), /^\d+$/.test(y)];
    if (isNumber && isOther) return Number(x) - Number(y);
    if (isNumber !== isOther) return isNumber ? -1 : 1;
    return x < y ? -1 : 1;
  }
  return 0;
}
