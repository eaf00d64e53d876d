// An entry as an OpenTelemetry log record in the OTLP JSON encoding, one request to a collector a line. Attribute names are those of the
// OpenTelemetry semantic conventions (general and GenAI) where they have one, else `intramur.*`.
import { type Entry, type OtlpValue, otlpAttributes, product, version } from '../../core/index.ts';

export function otlpLine(entry: Entry): string {
  const isModel = entry.action === 'llm.invoke';
  const own = (name: string): string => `${product.name}.${name}`;
  const attributes: [string, OtlpValue][] = [
    [own('ledger.index'), entry.index],
    [own('decision'), entry.decision],
    [own('reason'), entry.reason],
    [own('policies'), entry.policies],
    [own('purpose'), entry.purpose],
    [own('class'), entry.class],
    [own('perimeter'), entry.perimeter],
    [own('classification'), entry.classification],
    [own('labels'), entry.labels],
    [own('outcome_of'), entry.outcomeOf],
    [own('body.sha256'), entry.bodySha256],
    ['session.id', entry.session],
    ['user.name', entry.user],
    ['server.address', entry.host],
    ['server.port', entry.port],
    ['http.request.method', entry.method],
    ['url.path', entry.path],
    ['http.response.status_code', entry.status],
    ['http.request.body.size', entry.bytesOut],
    ['http.response.body.size', entry.bytesIn],
    ['gen_ai.operation.name', isModel ? 'chat' : undefined],
    ['gen_ai.provider.name', entry.provider],
    ['gen_ai.request.model', entry.requestedModel],
    ['gen_ai.agent.name', entry.agent],
    ['gen_ai.conversation.id', isModel ? entry.session : undefined],
  ];
  const isDenied = entry.decision === 'deny';
  const timeUnixNano = `${Date.parse(entry.time)}000000`;
  const record = {
    timeUnixNano,
    observedTimeUnixNano: timeUnixNano,
    severityNumber: isDenied ? 13 : 9,
    severityText: isDenied ? 'WARN' : 'INFO',
    eventName: own(entry.action),
    body: { stringValue: [entry.action, entry.decision, entry.reason].filter(Boolean).join(': ') },
    attributes: otlpAttributes(attributes),
  };
  const resource = {
    attributes: otlpAttributes([
      ['service.name', product.name],
      ['service.version', version],
    ]),
  };
  return JSON.stringify({ resourceLogs: [{ resource, scopeLogs: [{ scope: { name: own('ledger'), version }, logRecords: [record] }] }] });
}
