// A small box for the tests of this room: nobody is served, and nothing is shown that a test does not name.
import fs from 'node:fs';
import path from 'node:path';
import { closeHandle } from '../listeners.ts';
import type { LaunchPlan, Listeners } from '../plan.ts';

/** @param session an own directory, with the workspace and the layer below it */
export function boxIn(
  session: string,
  changes: Partial<LaunchPlan> & Pick<LaunchPlan, 'argv' | 'cacheDir'>,
): LaunchPlan & Required<Pick<LaunchPlan, 'overlay'>> {
  const workspace = changes.workspace ?? path.join(session, 'workspace');
  fs.mkdirSync(workspace, { recursive: true });
  return {
    workspace,
    cwd: workspace,
    mode: 'direct',
    env: { PATH: '/usr/bin:/bin', HOME: '/home/agent' },
    home: '/home/agent',
    homeFiles: [],
    readOnly: [],
    caPem: '',
    ports: [],
    proxyPort: 3128,
    gatewayPort: 4180,
    limits: { pids: 128, fileBytes: 1 << 20, tmpfsBytes: 1 << 20 },
    hostName: 'box',
    userName: 'agent',
    ...changes,
    overlay: { upper: path.join(session, 'upper'), work: path.join(session, 'work') },
  };
}

export function closeAll({ tcp, dns, dnsElsewhere }: Listeners): void {
  for (const { handle } of tcp) closeHandle(handle);
  for (const socket of [dns, ...dnsElsewhere]) socket.close();
}
