// The handshakes of a run as comparable places, part by part as in JA4: which TLS library with which settings asked for which host.
import type { Place } from './observe.ts';
import type { ObservedHello, RunRecord } from './record.ts';

/** The name itself, and what follows from its length or from an earlier connection: server_name, padding, pre_shared_key. */
const following = new Set(['0000', '0015', '0029']);

const parts: readonly [string, (hello: ObservedHello) => readonly string[], Place['compared']][] = [
  ['versions', ({ version, versions }) => [version, ...versions], 'whole'],
  ['cipher suites', ({ suites }) => suites, 'whole'],
  ['extensions', ({ extensions }) => extensions.filter((code) => !following.has(code)).toSorted(), 'whole'],
  // Some libraries shuffle it for every connection.
  ['extension order', ({ extensions }) => extensions.filter((code) => !following.has(code)), 'order'],
  ['groups', ({ groups }) => groups, 'whole'],
  ['signature algorithms', ({ signatures }) => signatures, 'whole'],
  ['protocols', ({ protocols }) => protocols, 'whole'],
];

/** @returns the names under which hellos were observed; one that only some runs sent says nothing about the others */
export function observeHellos(run: RunRecord, put: (key: string, place: Place) => void): string[] {
  const byHost = Map.groupBy(run.hellos ?? [], ({ host }) => host);
  return [...byHost].map(([host, hellos]) => {
    const isModel = run.stated['base-url']?.some((stated) => stated === host) ?? false;
    const request = `TLS hello to ${isModel ? 'the model host' : host}`;
    for (const [part, read, compared] of parts) {
      const text = [...new Set(hellos.map((hello) => read(hello).join(' ')))].toSorted().join(' | ');
      const where = `${request} ${part}`;
      put(where, { where, channel: 'wire', to: isModel ? 'model' : 'other', request, text, ...(compared && { compared }) });
    }
    return request;
  });
}
