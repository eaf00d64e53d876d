// Keeps `apply` and a running direct session out of each other's workspace: the program inside could put a link where `apply` is about
// to write, which would then write, as the user, wherever the link leads. Each states its use first and looks for the other's then, so
// that of two that come at once at least one sees the other and gives way.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { IntramurError } from '../core/index.ts';
import { isWithin } from './mount.ts';
import { processStart } from './process-start.ts';

/** `direct`: a program writes in the workspace. `apply`: changes are brought into it. */
type Use = 'direct' | 'apply';

interface Claim {
  readonly use: Use;
  /** Real path. */
  readonly workspace: string;
  readonly pid: number;
  readonly start: string;
}

/**
 * @returns gives the workspace back
 * @throws IntramurError SANDBOX_SETUP when the other use is under way there, above, or below
 */
export function claimWorkspace(cacheDir: string, workspace: string, use: Use): () => void {
  const directory = path.join(cacheDir, 'in-use');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const name = `${process.pid}-${process.hrtime.bigint()}`;
  const file = path.join(directory, `${name}.json`);
  const own: Claim = { use, workspace, pid: process.pid, start: processStart(process.pid) ?? '' };
  // Under its name only when it is whole: a reader takes what it cannot read for nobody's.
  writeFileSync(path.join(directory, `${name}.new`), JSON.stringify(own), { mode: 0o600 });
  renameSync(path.join(directory, `${name}.new`), file);
  const release = (): void => rmSync(file, { force: true });
  const other = claimsIn(directory, file).find(
    (claim) => (claim.use !== use || use === 'apply') && (isWithin(claim.workspace, workspace) || isWithin(workspace, claim.workspace)),
  );
  if (!other) return release;
  release();
  throw new IntramurError('SANDBOX_SETUP', `${refusals[other.use]} ${other.workspace} (process ${other.pid})`, {
    hint: 'let it end first',
  });
}

const refusals: Readonly<Record<Use, string>> = {
  direct: 'a session in direct mode is running in',
  apply: 'changes are being applied in',
};

/** Of processes that still run; what others left behind is removed. */
function claimsIn(directory: string, own: string): Claim[] {
  return readdirSync(directory)
    .map((name) => path.join(directory, name))
    .filter((file) => file !== own && file.endsWith('.json'))
    .flatMap((file) => {
      const claim = claimOf(file);
      if (claim && processStart(claim.pid) === claim.start) return [claim];
      rmSync(file, { force: true });
      return [];
    });
}

function claimOf(file: string): Claim | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isClaim(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isClaim(value: unknown): value is Claim {
  if (typeof value !== 'object' || value === null) return false;
  const field = (name: keyof Claim): unknown => Reflect.get(value, name);
  const isUse = field('use') === 'direct' || field('use') === 'apply';
  return isUse && typeof field('workspace') === 'string' && Number.isInteger(field('pid')) && typeof field('start') === 'string';
}
