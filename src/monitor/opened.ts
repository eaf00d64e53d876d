// What a conversation shows to have been opened raises the session's class: the second net under what inspection recognises, because it
// does not matter in which encoding, language or words a file goes on.
import { type Body, type Classification, classificationRank, highestClassification, type Principal, type Request } from '../core/index.ts';
import { namedPaths } from './named-paths.ts';

/** How sensitive files are by where they lie. */
export interface FileClasses {
  /** No file has a higher one. */
  readonly highest: Classification;
  /** `undefined` for a file that nothing is said about. `base` is where relative names begin. */
  of(name: string, base: string | undefined): Promise<Classification | undefined>;
}

/** @param held nothing up to this class is worth looking for */
export function classOfOpened(
  { act, principal }: Request,
  body: Body,
  held: Classification,
  filesNow: (() => FileClasses) | undefined,
): Classification | Promise<Classification> {
  if (!filesNow || act.action !== 'llm.invoke') return 'public';
  const files = filesNow();
  if (classificationRank(files.highest) <= classificationRank(held)) return 'public';
  return highestOf(files, principal, body);
}

async function highestOf(files: FileClasses, principal: Principal, body: Body): Promise<Classification> {
  let highest: Classification = 'public';
  for (const name of namedPaths(body.bytes)) {
    highest = highestClassification(highest, (await files.of(name, principal.workspace)) ?? 'public');
    if (highest === files.highest) break;
  }
  return highest;
}
