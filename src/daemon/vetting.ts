// How a session's tool is judged: by the configuration of its workspace and the register, at its opening, at every change of the
// register, and again for each exchange whose user agent names another tool than the one that was started.
import crypto from 'node:crypto';
import fs from 'node:fs';
import { toolBehind } from '../agents/index.ts';
import { type Config, judge, needsHash, type Register, type RunningTool, vettingOf } from '../config/index.ts';
import { type ExchangeHead, headerOf, type Principal, product } from '../core/index.ts';
import type { Session } from './session.ts';

type Tools = Pick<Config, 'tools'>;

/** @param program real path; hashed only where the configuration or the register asks for a hash */
export async function toolOf(
  { agent, agentVersion }: Pick<Principal, 'agent' | 'agentVersion'>,
  program: string,
  { tools }: Tools,
  register: Register,
): Promise<RunningTool> {
  const isPinned = (Object.hasOwn(tools, agent) && tools[agent]?.sha256 !== undefined) || needsHash(register, agent);
  // A program that is gone has no hash, so that no pin is met.
  const sha256 = isPinned ? await sha256Of(program).catch(() => undefined) : undefined;
  return { id: agent, version: agentVersion, sha256 };
}

async function sha256Of(file: string): Promise<string> {
  const hash = crypto.createHash('sha256');
  for await (const chunk of fs.createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Why a tool may not run, for people; `undefined` when it may. */
export function whyBanned(config: Tools, tool: RunningTool, register: Register): string | undefined {
  if (vettingOf(config, tool, register) !== 'banned') return undefined;
  const said = judge(register, tool);
  if (said?.vetting !== 'banned') return `the tool "${tool.id}" is banned by the configuration`;
  const { verb, agent, versions, sha256, reason, by, at } = said.statement;
  const who = `by ${by} on ${at.slice(0, 10)}${reason === undefined ? '' : `: ${reason}`}`;
  if (verb === 'pin') {
    const pinned = [versions, sha256 === undefined ? undefined : `sha256 ${sha256.slice(0, 12)}…`].filter((part) => part !== undefined);
    const found = [tool.version, tool.sha256 === undefined ? undefined : `sha256 ${tool.sha256.slice(0, 12)}…`].filter((part) => part);
    return `the tool "${agent}" is pinned to ${pinned.join(', ')} (${who}), and this is ${found.join(', ') || 'not known to be that'}; look at it, then: ${product.name} agents pin ${agent}`;
  }
  return `the tool "${tool.id}" is banned ${who}`;
}

/** The principal of one exchange: a banned tool that shows itself by its user agent is banned in anybody's session. */
export function seenIn({ principal, config }: Session, head: ExchangeHead, register: Register): Principal {
  const { isKnown, ...seen } = toolBehind(headerOf(head.rawHeaders, 'user-agent') ?? '');
  if (!isKnown || seen.id === principal.agent || vettingOf(config, seen, register) !== 'banned') return principal;
  return { ...principal, agent: seen.id, vetting: 'banned' };
}
