// Which tool is behind a `user-agent` header. The header can be forged, so what it says only ever makes things stricter.
import { adapters } from './registry.ts';

export interface SeenTool {
  readonly id: string;
  readonly version?: string;
  /** Recognised by an adapter, not merely named by itself. */
  readonly isKnown: boolean;
}

export function toolBehind(userAgent: string): SeenTool {
  const adapter = adapters.find((known) => known.userAgent?.test(userAgent));
  const [, name, version] = /^([A-Za-z0-9._-]{1,64})(?:\/v?(\d+(?:\.\d+){0,3}))?/.exec(userAgent) ?? [];
  return {
    id: adapter?.id ?? name?.toLowerCase() ?? 'unknown',
    ...(version === undefined ? {} : { version }),
    isKnown: adapter !== undefined,
  };
}
