// What the organisation says of one tool that runs now: `tools:` of the configuration, and the register that `agents ban|vet|pin` keeps.
// A pin that cannot be checked is not met.
import type { Vetting } from '../core/index.ts';
import type { Config } from './config.ts';
import { judge, type Register, type RunningTool } from './register.ts';
import { satisfies } from './satisfies.ts';

/** The stricter of both where both speak: the register can tighten the configuration and fill its gaps, never loosen it. */
export function vettingOf(config: Pick<Config, 'tools'>, tool: RunningTool, register: Register = []): Vetting {
  const configured = configuredVetting(config, tool);
  const said = judge(register, tool)?.vetting;
  if (said === 'banned' || configured === 'banned') return 'banned';
  return configured ?? said ?? 'unvetted';
}

/** A pin narrows what is vetted, so outside it a tool is unvetted; it narrows a ban too, but only when the tool is surely outside. */
function configuredVetting({ tools }: Pick<Config, 'tools'>, { id, version, sha256 }: RunningTool): Vetting | undefined {
  const entry = Object.hasOwn(tools, id) ? tools[id] : undefined;
  if (!entry || entry.status === 'unvetted') return entry?.status;
  const pins = [
    entry.versions === undefined ? undefined : version === undefined ? 'unknown' : satisfies(version, entry.versions),
    entry.sha256 === undefined ? undefined : sha256 === undefined ? 'unknown' : sha256.toLowerCase() === entry.sha256,
  ].filter((pin) => pin !== undefined);
  if (entry.status === 'banned') return pins.includes(false) ? 'unvetted' : 'banned';
  return pins.every((pin) => pin === true) ? 'vetted' : 'unvetted';
}
