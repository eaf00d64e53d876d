// The register of tools in the running daemon: takes a statement, records who said it and why, and brings it into force at once. The one
// writer of the register's file.
import os from 'node:os';
import {
  type Config,
  closedHosts,
  isWhole,
  type Register,
  readRegister,
  registerFileIn,
  type Statement,
  statementFrom,
  wholeBanOf,
  withStatement,
  writeRegister,
} from '../config/index.ts';
import { type Entry, type EntryBody, IntramurError } from '../core/index.ts';
import type { StateRequest } from './protocol.ts';

export interface AgentRegister {
  current(): Register;
  /** The banned tool that a host belongs to; a host that a provider of ours is at belongs to nobody. */
  closedBy(host: string): string | undefined;
  /**
   * INVARIANT: the entry is durable before the statement is in force, and the statement in force before this returns.
   * @throws IntramurError USAGE for what is no statement, SESSION_HALTED for a refusal, LEDGER_APPEND
   */
  state(request: StateRequest): Promise<Stated>;
}

export interface Stated {
  readonly statement: Statement;
  readonly entry: number;
  /** Bans of the tool that hold no longer. */
  readonly lifted: readonly Statement[];
}

export interface RegisterDeps {
  readonly stateDirectory: string;
  readonly config: Config;
  append(entry: EntryBody): Promise<{ readonly index: number }>;
  /** Attestations of a tool in the ledger, oldest first. */
  attestations(agent: string): Promise<readonly Entry[]>;
  now(): Date;
}

/** @throws IntramurError CONFIG_INVALID when the register does not read */
export function openRegister({ stateDirectory, config, append, attestations, now }: RegisterDeps): AgentRegister {
  const file = registerFileIn(stateDirectory);
  const ownHosts = new Set(config.providers.flatMap(({ url }) => (URL.canParse(url) ? [new URL(url).hostname] : [])));
  let register = readRegister(file);
  let closed = closedHosts(register);
  let last: Promise<unknown> = Promise.resolve();

  async function state(request: StateRequest): Promise<Stated> {
    const statement = statementFrom({ ...request, by: os.userInfo().username, at: now().toISOString() });
    if (statement === undefined)
      throw new IntramurError(
        'USAGE',
        'this is no statement about a tool: a name, versions such as ">=2.1.198 <3", a hash of 64 hexadecimal digits, a reason of one line',
      );
    if (statement.verb === 'vet' && !isWhole(statement)) refusePart(statement.agent);
    if (statement.verb !== 'ban') await requireAttestation(statement);
    const before = register;
    const next = withStatement(before, statement);
    const { verb, agent, by, reason, versions, sha256, hosts } = statement;
    const { index } = await append({
      action: `agent.${verb}`,
      user: by,
      agent,
      ...(reason === undefined ? {} : { reason }),
      detail: {
        ...(versions === undefined ? {} : { versions }),
        ...(sha256 === undefined ? {} : { sha256 }),
        ...(hosts === undefined ? {} : { hosts }),
      },
    });
    writeRegister(file, next);
    register = next;
    closed = closedHosts(next);
    const lifted = verb === 'ban' ? [] : before.filter((one) => one.agent === agent && one.verb === 'ban' && !next.includes(one));
    return { statement, entry: index, lifted };
  }

  /** A ban of all of a tool holds until something is said of all of it. */
  function refusePart(agent: string): void {
    const ban = wholeBanOf(register, agent);
    if (ban === undefined) return;
    throw new IntramurError(
      'USAGE',
      `${agent} is banned by ${ban.by} since ${ban.at.slice(0, 10)}, and stays so: vetting a part of it lifts no ban`,
      {
        hint: `lift it with: agents vet ${agent}; for one program only: agents pin ${agent} --versions V --sha256 H`,
      },
    );
  }

  /** The newest attestation of exactly this program counts: one that passed once and fails now has not passed. */
  async function requireAttestation({ verb, agent, versions, sha256 }: Statement): Promise<void> {
    if (config.attestation !== 'required') return;
    const version = /^=?\s*(\d\S*)$/.exec(versions ?? '')?.[1];
    const refuse = (why: string) => new IntramurError('SESSION_HALTED', why, { hint: `run: attest ${agent}` });
    if (sha256 === undefined || version === undefined)
      throw refuse(`attestation is required: ${verb} takes one version and one hash of ${agent}, and an attestation of them`);
    const newest = (await attestations(agent)).findLast(({ detail }) => detail?.['sha256'] === sha256 && detail['version'] === version);
    if (newest?.detail?.['passed'] !== true) {
      const what = newest === undefined ? 'there is no attestation' : `the newest attestation (ledger entry ${newest.index}) did not pass`;
      throw refuse(`attestation is required, and ${what} of ${agent} ${version} with sha256 ${sha256.slice(0, 12)}…`);
    }
  }

  return {
    current: () => register,
    closedBy: (host) => (ownHosts.has(host) ? undefined : closed.get(host)),
    // One after another: two at once would each forget the other's.
    state(request) {
      const mine = last.then(() => state(request));
      last = mine.catch(() => {});
      return mine;
    },
  };
}
