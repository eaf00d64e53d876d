// One way out, as it is tried inside and judged outside. The same object is loaded on both sides: `inside` runs in the sandbox and
// reports what it got; the verdict is made outside, from canaries that the inside cannot know.

/** What is supposed to stop it. */
export type Layer =
  | 'mount namespace'
  | 'read-only mount'
  | 'copy-on-write layer'
  | 'network namespace'
  | 'pid namespace'
  | 'ipc namespace'
  | 'uts namespace'
  | 'user namespace'
  | 'seccomp'
  | 'no capabilities'
  | 'empty environment'
  | 'closed descriptors'
  | 'resource limit';

export type Group =
  | 'files'
  | 'links and races'
  | 'persistence'
  | 'proc and sys'
  | 'devices'
  | 'network'
  | 'ipc'
  | 'terminal'
  | 'kernel surface'
  | 'credentials'
  | 'resources';

/** What the inside is told. It holds no canary: those stay outside. */
export interface Place {
  /** The user's home on the host; inside, a tmpfs stands there. */
  readonly home: string;
  readonly workspace: string;
  /** A directory of the host beside the workspace. */
  readonly beside: string;
  readonly hostPid: number;
  readonly hostPort: number;
  readonly hostAddress: string;
  readonly abstractName: string;
  readonly shmKey: number;
  readonly limits: { readonly pids: number; readonly fileBytes: number; readonly tmpfsBytes: number };
  readonly mode: 'overlay' | 'direct';
  /** Another sandbox is tried, for comparison: what only this product promises is then not asked for. */
  readonly isPeer: boolean;
}

/** `true` says it got through; text is searched for canaries outside. */
export type Evidence = boolean | string;

/** What can be seen outside after the session. */
export interface Outside {
  /** Text of a file of the host; empty when there is none. */
  read(file: string): string;
  exists(file: string): boolean;
  readonly place: Place;
  readonly hostProcessLives: boolean;
  readonly hostConnections: number;
  /** Where connections arrived at the launcher's listeners: `address:port`. */
  readonly arrived: readonly string[];
  readonly queriesElsewhere: number;
}

export interface Attempt {
  readonly id: string;
  readonly group: Group;
  readonly layer: Layer | Readonly<Record<'overlay' | 'direct', Layer>>;
  /** A limit that not every machine can put in force; where the launch does not list it, there is nothing to try. */
  readonly limit?: string;
  /** Why it cannot be asked of another sandbox. */
  readonly oursAlone?: string;
  inside(place: Place): Evidence | Promise<Evidence>;
  /** True when it got out, as seen from outside. @param said the text that the inside came back with */
  escaped?(outside: Outside, said: string): boolean;
}

/** What a write leaves behind, by which it is recognised outside. */
export const markOf = (id: string): string => `WRITTEN-BY-${id}`;
