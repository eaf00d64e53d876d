// Launches with everything that was asked for, or not at all. With `--allow-degraded` layers without which the program is still contained may
// be missing: that is said, and in the ledger before the program starts. What contains it may never be missing.
import path from 'node:path';
import { IntramurError, product } from '../../core/index.ts';
import type { Confinement, OpenReply } from '../../daemon/index.ts';
import {
  type Launched,
  type LaunchPlan,
  type LimitsInForce,
  type Listeners,
  lackingLayer,
  launch,
  type Prepared,
  removeOverlay,
} from '../../sandbox/index.ts';
import type { RunOptions } from './options.ts';

interface On {
  listening(listeners: Listeners): void;
  unanswered(address: string, port: number): void;
  /** Resolves when it is recorded. */
  confined(confinement: Confinement): Promise<void>;
}

export interface AsAsked {
  readonly launched: Launched;
  readonly mode: RunOptions['mode'];
}

type Asked = Pick<RunOptions, 'allowDegraded' | 'asksLimitPids' | 'limitMemoryBytes' | 'limitCpus'>;

/** @throws IntramurError SANDBOX_UNAVAILABLE for a layer that is missing without leave; what `launch` throws */
export async function launchAsAsked(
  plan: LaunchPlan,
  prepared: Prepared,
  options: Asked,
  { auditsStarts }: OpenReply,
  on: On,
): Promise<AsAsked> {
  const degraded: string[] = [];
  let current = plan;
  for (;;) {
    const { mode } = current;
    try {
      const confined = async (limits: LimitsInForce): Promise<void> => {
        degraded.push(...missingLimits(limits, options));
        if (degraded.length > 0 && !options.allowDegraded) throw refused(degraded);
        const told = on.confined({ mode, limits: limits.held, notInForce: limits.notHeld.map(({ line }) => line), degraded });
        // A program that lacks nothing does not wait for this entry: its opening is in the ledger, and so is all that it does.
        if (degraded.length > 0) await told;
        else told.catch(() => {});
      };
      const launched = await launch(current, { listening: on.listening, unanswered: on.unanswered, confined }, prepared);
      return { launched, mode };
    } catch (fault) {
      const lesser = options.allowDegraded ? without(lackingLayer(fault), current, auditsStarts === true) : undefined;
      if (lesser === undefined) throw fault;
      degraded.push(`${lesser.what} (${fault instanceof Error ? fault.message : 'fault'})`);
      current = lesser.plan;
    }
  }
}

/** The plan without one layer; `undefined` where that layer is not one to do without. */
function without(
  layer: ReturnType<typeof lackingLayer>,
  plan: LaunchPlan,
  isAuditPolicy: boolean,
): { readonly plan: LaunchPlan; readonly what: string } | undefined {
  if (layer === 'overlay' && plan.mode === 'overlay') {
    const { overlay, ...rest } = plan;
    // Nothing was written to it; left there it would be the newest layer of this workspace.
    if (overlay) removeOverlay(path.dirname(overlay.upper));
    return { plan: { ...rest, mode: 'direct' }, what: 'no copy-on-write workspace: what is written is written to this workspace' };
  }
  // What a policy says of programs holds only when each start is asked about.
  if (layer === 'audit' && plan.decideStarts && !isAuditPolicy) {
    const { decideStarts: _decide, onMissing: _missing, ...rest } = plan;
    return { plan: rest, what: 'no audit of program starts' };
  }
  return undefined;
}

/** Limits that the user asked for by name and the kernel does not hold. */
function missingLimits({ notHeld }: LimitsInForce, { asksLimitPids, limitMemoryBytes, limitCpus }: Asked): string[] {
  const asked = { memory: limitMemoryBytes !== undefined, cpu: limitCpus !== undefined, processes: asksLimitPids };
  return notHeld.filter(({ limit }) => asked[limit]).map(({ line }) => `no limit of ${line}`);
}

function refused(degraded: readonly string[]): IntramurError {
  return new IntramurError('SANDBOX_UNAVAILABLE', `not everything that was asked for can be enforced: ${degraded.join('; ')}`, {
    hint: `${product.name} doctor   # says what would mend it; ${product.name} run --allow-degraded -- … goes on without, and records it`,
  });
}
