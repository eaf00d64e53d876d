// Every way out that is tried.
import type { Attempt } from '../attempt.ts';
import { credentials } from './credentials.ts';
import { device } from './devices.ts';
import { files } from './files.ts';
import { ipc } from './ipc.ts';
import { kernelSurface } from './kernel.ts';
import { links } from './links.ts';
import { network } from './network.ts';
import { persistence } from './persistence.ts';
import { proc } from './proc.ts';
import { resources } from './resources.ts';

export const attempts: readonly Attempt[] = [
  ...files,
  ...links,
  ...proc,
  ...device,
  ...network,
  ...ipc,
  ...kernelSurface,
  ...credentials,
  ...resources,
  ...persistence,
];
