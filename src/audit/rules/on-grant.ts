// The part of a hit that follows from a grant.
import type { Grant } from '../permissions/index.ts';
import type { Hit } from './rule.ts';

export function hitOf(grant: Grant, message: string, more: Partial<Hit> = {}): Hit {
  return {
    agent: grant.agent,
    file: grant.source.file ?? undefined,
    line: grant.source.line ?? undefined,
    isSample: grant.isSample,
    message,
    ...more,
  };
}
