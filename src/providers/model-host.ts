// Is an intercepted exchange a model call? Known by host and path of the services' tables; everything else on those hosts
// (telemetry, settings, catalogues) is another egress class.
import type { Dialect } from '../core/index.ts';
import { hostMatches } from './host.ts';
import { services } from './registry.ts';
import type { ModelEndpoint } from './service.ts';

const exact = new Map<string, ModelEndpoint[]>();
const patterns: ModelEndpoint[] = [];
for (const endpoint of services.flatMap((known) => known.endpoints)) {
  if (endpoint.host.includes('*')) patterns.push(endpoint);
  else exact.set(endpoint.host, [...(exact.get(endpoint.host) ?? []), endpoint]);
}

/**
 * @param host lower case, without port
 * @param path with or without query
 */
export function modelHost(host: string, path: string): Dialect | undefined {
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  const query = path.indexOf('?');
  const own = query < 0 ? path : path.slice(0, query);
  const serves = (endpoint: ModelEndpoint): boolean => endpoint.path.test(own);
  return (exact.get(name)?.find(serves) ?? patterns.find((endpoint) => hostMatches(endpoint.host, name) && serves(endpoint)))?.dialect;
}

/** Does any service of the table stand at this host, whatever the path? */
export function isModelHost(host: string): boolean {
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  return exact.has(name) || patterns.some((endpoint) => hostMatches(endpoint.host, name));
}
