// `agents list`: every tool that is here or that somebody said something of, and what holds for it now.
import { catalogue, type FoundAgent, installed } from '../../audit/index.ts';
import { loadConfig, readRegister, registerFileIn, type Statement, vettingOf } from '../../config/index.ts';
import type { Places } from '../../core/index.ts';
import type { CliIo } from '../io.ts';

export async function listAgents(io: CliIo, places: Places, asJson: boolean): Promise<number> {
  const config = await loadConfig({ env: io.env, home: io.home, cwd: io.cwd, workspaceFile: 'ignored', systemDir: places.system });
  const register = readRegister(registerFileIn(places.state));
  const found = installed({ userHome: io.home, cwd: io.cwd, env: io.env, tools: config.tools });
  const ids = new Set([...found.map(({ entry }) => entry.id), ...Object.keys(config.tools), ...register.map(({ agent }) => agent)]);
  const agents = [...ids].sort().map((id) => {
    const entry = catalogue.find((one) => one.id === id);
    return {
      id,
      name: entry?.name ?? null,
      vendor: entry?.vendor ?? null,
      jurisdiction: entry?.jurisdiction ?? null,
      /** Of a version and program of which nothing is known. */
      status: vettingOf(config, { id }, register),
      installed: found.filter((one) => one.entry.id === id).map((one) => installation(one, (tool) => vettingOf(config, tool, register))),
      configured: Object.hasOwn(config.tools, id) ? (config.tools[id] ?? null) : null,
      statements: register.filter(({ agent }) => agent === id),
    };
  });
  if (asJson) {
    io.stdout.write(`${JSON.stringify({ schema: 'intramur/agents/1', agents }, undefined, 2)}\n`);
    return 0;
  }
  if (agents.length === 0) io.stdout.write('no agent is here, and nothing is said of any\n');
  for (const agent of agents) {
    io.stdout.write(`${agent.id}: ${agent.installed.length === 0 ? `not installed, ${agent.status}` : ''}\n`.replace(': \n', '\n'));
    for (const { version, path, status } of agent.installed) io.stdout.write(`  ${status}: ${version ?? 'version unknown'}, ${path}\n`);
    if (agent.configured !== null) {
      const { status, ...pins } = agent.configured;
      io.stdout.write(`  configured: ${[status, pins.versions, pins.sha256].filter((part) => part !== undefined).join(' ')}\n`);
    }
    for (const statement of agent.statements) io.stdout.write(`  ${said(statement)}\n`);
  }
  return 0;
}

function installation(
  { entry, version, path, sha256 }: FoundAgent,
  judge: (tool: { id: string; version?: string; sha256?: string }) => string,
): { version: string | null; path: string; sha256: string | null; status: string } {
  const tool = { id: entry.id, ...(version === undefined ? {} : { version }), ...(sha256 === undefined ? {} : { sha256 }) };
  return { version: version ?? null, path, sha256: sha256 ?? null, status: judge(tool) };
}

function said({ verb, versions, sha256, reason, by, at }: Statement): string {
  const what = [versions, sha256 === undefined ? undefined : `sha256 ${sha256.slice(0, 12)}…`].filter((part) => part !== undefined);
  return `${verb}${what.length === 0 ? '' : ` ${what.join(', ')}`} by ${by} on ${at.slice(0, 10)}${reason === undefined ? '' : `: ${reason}`}`;
}
