// Git moves what it has into other files: refs into `packed-refs`, tables of refs into larger ones, objects into packs. As changes these are a
// file that is written and others that are deleted, and nothing in their contents says that they belong together.

/** Where a deleted file of a repository may have gone: one path, or all that begins so. */
interface Place {
  readonly file?: string;
  readonly below?: string;
}

/**
 * INVARIANT: while the file stays out that may have taken in what a deleted one held, the deletion stays out, too.
 * @param withheld paths that are not applied
 * @returns why the deletion of `file` has to wait
 */
export function notMovedYet(file: string, withheld: ReadonlySet<string>): string | undefined {
  if (withheld.size === 0) return undefined;
  const other = placesFor(file)
    .map((place) => (place.file === undefined ? first(withheld, place.below ?? '') : withheld.has(place.file) ? place.file : undefined))
    .find((found) => found !== undefined);
  return other === undefined ? undefined : `git may have moved its content to ${other}, which is not applied`;
}

function placesFor(file: string): Place[] {
  const parts = file.split('/');
  return parts.slice(0, -1).flatMap((part, i): Place[] => {
    const at = (name: string): string => [...parts.slice(0, i), name].join('/');
    if (part === 'refs') return [{ file: at('packed-refs') }];
    if (part === 'reftable') return [{ file: at('reftable/tables.list') }];
    return part === 'objects' ? [{ below: at('objects/') }] : [];
  });
}

function first(paths: ReadonlySet<string>, prefix: string): string | undefined {
  for (const file of paths) if (file.startsWith(prefix)) return file;
  return undefined;
}
