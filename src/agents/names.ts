// The names by which the programs of the agents are known. They stand apart from the adapters, so that a launch of any other program
// loads none of them. A program is recognised by the name it is started under, or, for a script run by an interpreter, by the npm
// package that it belongs to.
import fs from 'node:fs';
import path from 'node:path';

interface Names {
  readonly binaries: readonly string[];
  readonly npm: readonly string[];
}

/** By the id of the adapter. */
export const names = {
  'claude-code': { binaries: ['claude'], npm: ['@anthropic-ai/claude-code'] },
  codex: { binaries: ['codex'], npm: ['@openai/codex'] },
  'qwen-code': { binaries: ['qwen'], npm: ['@qwen-code/qwen-code'] },
  opencode: { binaries: ['opencode'], npm: ['opencode-ai'] },
  'gemini-cli': { binaries: ['gemini'], npm: ['@google/gemini-cli'] },
} as const satisfies Record<string, Names>;

const extension = /\.(exe|cmd|bat|ps1|js|mjs|cjs)$/i;

/** The agent of a program: `claude`, `/usr/bin/codex`, `…/node_modules/@google/gemini-cli/bundle/gemini.js`, or a link to one of these. */
export function agentOf(programPath: string): string | undefined {
  const real = realPath(programPath);
  const candidates = real === programPath ? [programPath] : [programPath, real];
  for (const candidate of candidates) {
    const found = byPackage(candidate) ?? byBinary(candidate);
    if (found !== undefined) return found;
  }
  return undefined;
}

function byBinary(program: string): string | undefined {
  const name = path.basename(program).replace(extension, '');
  return idWhere(({ binaries }) => binaries.includes(name));
}

function byPackage(program: string): string | undefined {
  const unified = program.replaceAll('\\', '/');
  return idWhere(({ npm }) => npm.some((name) => unified.includes(`/node_modules/${name}/`)));
}

function idWhere(isMeant: (known: Names) => boolean): string | undefined {
  return Object.entries<Names>(names).find(([, known]) => isMeant(known))?.[0];
}

function realPath(program: string): string {
  if (!path.isAbsolute(program)) return program;
  try {
    return fs.realpathSync(program);
  } catch {
    return program; // Missing: the launcher says so.
  }
}
