// One difference between a session's layer and the workspace, and how it may come back.

export type ChangeKind = 'added' | 'modified' | 'deleted' | 'mode';

/** `code`: plain content. `sensitive`: can run or steer something later. `forbidden`: is never applied. */
export type ChangeClass = 'code' | 'sensitive' | 'forbidden';

export interface Change {
  /** Relative to the workspace, with `/`. */
  readonly path: string;
  readonly change: ChangeKind;
  readonly class: ChangeClass;
  /** Why it is not plain code; empty for code. */
  readonly why: string;
  /** Size of the new content. */
  readonly bytes: number;
  readonly node: 'file' | 'directory' | 'symlink' | 'other';
  /** Set when the workspace's own file changed since the session began: it is then never overwritten. */
  readonly conflict?: string;
}
