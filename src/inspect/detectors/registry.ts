// Every detector of secrets. Order matters where two find the same bytes: the earlier one names the finding.
import type { Detector } from '../detector.ts';
import { secretPlaceholder } from '../secret-placeholder.ts';
import { ai } from './ai.ts';
import { chat } from './chat.ts';
import { cloud } from './cloud.ts';
import { connection } from './connection.ts';
import { contextAToJ } from './context-a-to-j.ts';
import { contextKToZ } from './context-k-to-z.ts';
import { forge } from './forge.ts';
import { generic } from './generic.ts';
import { keys } from './keys.ts';
import { packages } from './packages.ts';
import { payment } from './payment.ts';
import { platform } from './platform.ts';
import { services } from './services.ts';

export const detectors: readonly Detector[] = [
  secretPlaceholder,
  ...keys,
  ...ai,
  ...forge,
  ...cloud,
  ...platform,
  ...packages,
  ...chat,
  ...payment,
  ...services,
  ...connection,
  ...contextAToJ,
  ...contextKToZ,
  ...generic,
];
