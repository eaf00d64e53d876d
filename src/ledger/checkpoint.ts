// The head of the log as a signed note: C2SP tlog-checkpoint (origin, size, root hash). No extension lines are written or accepted.
import { type Hash, hashBytes } from './merkle.ts';
import { decodeBase64, NoteError, openNote, type Signer, signNote, type Verifier } from './note.ts';

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Hash;
}

export function signCheckpoint({ origin, size, root }: Checkpoint, signer: Signer): string {
  return signNote(`${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`, signer);
}

/** Reads a checkpoint that `verifier` signed for the origin of the same name; throws NoteError otherwise. */
export function openCheckpoint(note: Uint8Array | string, verifier: Verifier): Checkpoint {
  const checkpoint = parseCheckpointText(openNote(note, verifier));
  if (checkpoint.origin !== verifier.name)
    throw new NoteError(`the checkpoint is of the log ${checkpoint.origin}, not of ${verifier.name}`);
  return checkpoint;
}

/** Strict: exactly the three lines that `signCheckpoint` writes. */
export function parseCheckpointText(text: string): Checkpoint {
  const [origin, sizeText, rootText, end, ...more] = text.split('\n');
  const size = Number(sizeText);
  const root = decodeBase64(rootText ?? '');
  const isCheckpoint =
    origin &&
    /^(0|[1-9]\d*)$/.test(sizeText ?? '') &&
    Number.isSafeInteger(size) &&
    root?.length === hashBytes &&
    end === '' &&
    more.length === 0;
  if (!isCheckpoint) throw new NoteError('the text of the note is not a checkpoint');
  return { origin, size, root };
}
