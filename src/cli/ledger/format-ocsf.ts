// An entry as an event of the Open Cybersecurity Schema Framework 1.x (schema.ocsf.io): model calls are API Activity, other HTTP is HTTP
// Activity, connections are Network Activity, sessions and the daemon are Application Lifecycle.
import { type Entry, type EntryAction, product, version } from '../../core/index.ts';

interface Kind {
  readonly category: readonly [uid: number, name: string];
  readonly class: readonly [uid: number, name: string];
  activity(entry: Entry): readonly [id: number, name: string];
}

const application = [6, 'Application Activity'] as const;
const network = [4, 'Network Activity'] as const;
const methods = ['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'TRACE', 'PATCH'];

const lifecycleNames = { 3: 'Start', 4: 'Stop', 8: 'Update' } as const;

function lifecycle(id: keyof typeof lifecycleNames): Kind {
  return { category: application, class: [6002, 'Application Lifecycle'], activity: () => [id, lifecycleNames[id]] };
}

const register = (name: string): Kind => ({ category: application, class: [6003, 'API Activity'], activity: () => [99, name] });

const kinds: Readonly<Record<EntryAction, Kind>> = {
  'llm.invoke': { category: application, class: [6003, 'API Activity'], activity: () => [99, 'Invoke'] },
  'http.request': {
    category: network,
    class: [4002, 'HTTP Activity'],
    activity({ method = '' }) {
      const at = methods.indexOf(method.toUpperCase());
      return at < 0 ? [99, method || 'Other'] : [at + 1, method.charAt(0).toUpperCase() + method.slice(1).toLowerCase()];
    },
  },
  'net.connect': {
    category: network,
    class: [4001, 'Network Activity'],
    activity: ({ decision }) => (decision === 'deny' ? [5, 'Refuse'] : [1, 'Open']),
  },
  'process.exec': { category: [1, 'System Activity'], class: [1007, 'Process Activity'], activity: () => [1, 'Launch'] },
  'secret.use': { category: application, class: [6003, 'API Activity'], activity: () => [99, 'Sign'] },
  'approval.decide': { category: application, class: [6003, 'API Activity'], activity: () => [99, 'Approve'] },
  'session.open': lifecycle(3),
  'session.confine': lifecycle(3),
  'session.close': lifecycle(4),
  'daemon.start': lifecycle(3),
  'daemon.reload': lifecycle(8),
  'daemon.stop': lifecycle(4),
  'ledger.resume': lifecycle(3),
  'agent.ban': register('Ban'),
  'agent.vet': register('Vet'),
  'agent.pin': register('Pin'),
  'agent.attest': register('Attest'),
  'workspace.pin': register('Pin'),
};

export function ocsfLine(entry: Entry): string {
  const kind = kinds[entry.action];
  const [activity_id, activity_name] = kind.activity(entry);
  const [category_uid, category_name] = kind.category;
  const [class_uid, class_name] = kind.class;
  const { index, time, user, session, agent, host, port, method, path, decision, reason, policies, status } = entry;
  const isDenied = decision === 'deny';
  const event = {
    activity_id,
    activity_name,
    category_uid,
    category_name,
    class_uid,
    class_name,
    type_uid: class_uid * 100 + activity_id,
    type_name: `${class_name}: ${activity_name}`,
    time: Date.parse(time),
    severity_id: isDenied ? 3 : 1,
    severity: isDenied ? 'Medium' : 'Informational',
    status_id: isDenied || (status ?? 0) >= 400 ? 2 : 1,
    ...(status === undefined ? {} : { status_code: String(status) }),
    ...(reason === undefined ? {} : { status_detail: reason }),
    ...(decision === undefined ? {} : { action_id: isDenied ? 2 : 1, disposition_id: isDenied ? 2 : 1 }),
    metadata: {
      version: '1.8.0',
      profiles: ['security_control'],
      product: { name: product.title, vendor_name: product.title, version },
      log_name: 'ledger',
      // The position in the transparency log: `ledger proof` of this number proves the event.
      uid: String(index),
      sequence: index,
    },
    actor: {
      app_name: agent ?? product.name,
      ...(user === undefined ? {} : { user: { name: user } }),
      ...(session === undefined ? {} : { session: { uid: session } }),
    },
    app: { name: agent ?? product.name },
    src_endpoint: { name: session === undefined ? product.name : `session ${session}` },
    ...(host === undefined ? {} : { dst_endpoint: { hostname: host, ...(port === undefined ? {} : { port }) } }),
    ...(entry.action === 'llm.invoke'
      ? { api: { operation: `${method ?? 'POST'} ${path ?? ''}`.trim(), service: { name: entry.provider ?? host ?? 'model' } } }
      : {}),
    ...(method === undefined
      ? {}
      : {
          http_request: {
            http_method: method,
            url: { ...(host === undefined ? {} : { hostname: host }), ...(port === undefined ? {} : { port }), path: path ?? '/' },
          },
        }),
    ...(policies?.[0] === undefined ? {} : { policy: { uid: policies[0], name: policies.join(' ') } }),
    ...(entry.bytesOut === undefined && entry.bytesIn === undefined
      ? {}
      : { traffic: { bytes_out: entry.bytesOut ?? 0, bytes_in: entry.bytesIn ?? 0 } }),
    unmapped: unmapped(entry),
  };
  return JSON.stringify(event);
}

function unmapped(entry: Entry): Record<string, unknown> {
  const { purpose, class: egressClass, requestedModel, perimeter, classification, labels, bodySha256, outcomeOf, detail } = entry;
  const all = {
    action: entry.action,
    purpose,
    class: egressClass,
    requestedModel,
    perimeter,
    classification,
    labels,
    bodySha256,
    outcomeOf,
    detail,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
