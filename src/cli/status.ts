// `status`: what the daemon is doing and whether the sandbox is in force, for people or as JSON.
import { codeOf, placesFrom, product, version } from '../core/index.ts';
import type { DaemonStatus } from '../daemon/index.ts';
import { createClient, isOutOfReach, isSilent } from '../daemon/index.ts';
import { doctor } from '../sandbox/index.ts';
import type { CliIo } from './io.ts';
import { jsonOption, parseOptions } from './options.ts';

export const forms = { '': jsonOption };

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values } = parseOptions(args, jsonOption);
  const [asked, { mode, layers }] = await Promise.all([ask(io), doctor()]);
  const isHung = asked === 'silent';
  const status = isHung ? undefined : asked;
  const reasons = layers.filter(({ ok }) => !ok).map(({ name, reason }) => (reason ? `${name}: ${reason}` : name));
  const sandbox = { mode, reasons };
  if (values.json) {
    const running = isHung || status !== undefined;
    const fault = isHung ? { fault: 'it does not answer' } : {};
    io.stdout.write(
      `${JSON.stringify({ schema: 'intramur/status/1', running, ...fault, version, ...(status ?? notRunning), sandbox }, undefined, 2)}\n`,
    );
    return 0;
  }
  io.stdout.write(
    `${status ? text(status) : `daemon    ${isHung ? 'running, and does not answer' : 'not running'}\n`}sandbox   ${mode}${reasons.length > 0 ? ` (${reasons.join('; ')})` : ''}\n`,
  );
  if (!status) io.stdout.write(`next      ${isHung ? 'end its process, then: ' : ''}${product.name} up\n`);
  return 0;
}

/** The same fields, so that who reads them need not ask first. */
const notRunning = { pid: null, gateway: null, console: null, ledger: null, policy: null, sessions: [] };

async function ask(io: CliIo): Promise<DaemonStatus | 'silent' | undefined> {
  const client = createClient(placesFrom(io.env, io.home).socket);
  try {
    return await client.status();
  } catch (fault) {
    if (codeOf(fault) === 'DAEMON_UNREACHABLE' && !isOutOfReach(fault)) return isSilent(fault) ? 'silent' : undefined;
    throw fault;
  } finally {
    client.release();
  }
}

function text({ pid, version: running, gateway, console, ledger, inspection, policy, sessions }: DaemonStatus): string {
  const lines = [
    `daemon    ${running}, pid ${pid}`,
    `gateway   ${gateway.url}`,
    `console   ${console.url}`,
    `ledger    ${ledger.size} entries, root ${ledger.root}`,
    ...(ledger.fault === undefined
      ? []
      : [
          `          REFUSES EVERYTHING: ${ledger.fault}`,
          `          it goes on by itself once its disk has room; if it does not: ${product.name} down`,
        ]),
    ...(inspection
      ? [`index     REFUSES EVERYTHING: ${inspection.fault}`, ...(inspection.next ? [`          ${inspection.next}`] : [])]
      : []),
    `policy    ${policy.packs.join(', ')} (${policy.digest.slice(0, 16)})`,
    `sessions  ${sessions.length === 0 ? 'none' : ''}`,
    ...sessions.flatMap(({ id, agent, purpose, classification, confinement }) => [
      `  ${id}  ${agent}  ${purpose}, ${classification}`,
      ...(confinement?.degraded.map((line) => `    DEGRADED: ${line}`) ?? []),
      ...(confinement?.limits.map((line) => `    ${line}`) ?? []),
      ...(confinement?.notInForce.map((line) => `    not in force: ${line}`) ?? []),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}
