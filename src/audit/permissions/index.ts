// Effective permission: what an agent would do in a workspace, and which line of which file says so.
import type { DialectId } from '../catalogue/index.ts';
import { claude } from './claude.ts';
import { codex } from './codex.ts';
import type { Dialect } from './dialect.ts';
import { gemini } from './gemini.ts';
import { listDialect } from './listed.ts';
import { opencode } from './opencode.ts';
import { qwen } from './qwen.ts';

const own: Partial<Record<DialectId, Dialect>> = { claude, codex, gemini, qwen, opencode };

/** `undefined` for agents whose permissions stand in no file. */
export function dialectOf(id: DialectId): Dialect | undefined {
  return own[id] ?? listDialect(id);
}

export { type Answer, answer, type Question, type Situation } from './dialect.ts';
export { type Action, actions, type Grant, type Mode, type Source } from './grant.ts';
