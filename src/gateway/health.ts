// Looks now and then whether the inside targets are there, so that a dead one is noticed before somebody waits for it. A look is a
// connection to the checked address that is closed again: no byte is sent, nothing is asked of the model. Targets outside are left
// alone: nobody is contacted there without a call. What it finds only puts allowed targets in order.
import type { ProviderConfig } from '../config/index.ts';

export interface HealthDeps {
  /** The providers that are looked at now. */
  providers(): readonly ProviderConfig[];
  /** Throws when there is no connection to a checked address within its time. */
  reach(url: URL): Promise<void>;
  seen(provider: string, isReachable: boolean): void;
  readonly everyMs: number;
}

export interface Health {
  close(): void;
}

export function watchHealth({ providers, reach, seen, everyMs }: HealthDeps): Health {
  let isLooking = false;
  const look = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    await Promise.all(
      providers().map(({ id, url }) =>
        reach(new URL(url)).then(
          () => seen(id, true),
          () => seen(id, false),
        ),
      ),
    );
    isLooking = false;
  };
  const timer = setInterval(() => void look(), everyMs).unref();
  return { close: () => clearInterval(timer) };
}
