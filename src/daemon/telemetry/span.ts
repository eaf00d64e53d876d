// A model call as a span, after the OpenTelemetry semantic conventions for generative AI (gen_ai.*, in development); what they have no
// word for is `intramur.*`.
import crypto from 'node:crypto';
import { otlpAttributes, otlpTime, product } from '../../core/index.ts';
import type { ObservedCall } from './call.ts';

const client = 3;
const error = 2;

/** @param providerName the convention's name of who serves, given the provider's id */
export function spanOf(call: ObservedCall, providerName: (id: string) => string): object {
  const own = (name: string): string => `${product.name}.${name}`;
  const { target, principal } = call;
  return {
    traceId: crypto.randomBytes(16).toString('hex'),
    spanId: crypto.randomBytes(8).toString('hex'),
    name: `chat ${target?.model ?? call.requestedModel}`,
    kind: client,
    startTimeUnixNano: otlpTime(call.startedAt),
    endTimeUnixNano: otlpTime(Math.max(call.startedAt, call.endedAt)),
    attributes: otlpAttributes([
      ['gen_ai.operation.name', 'chat'],
      ['gen_ai.provider.name', target && providerName(target.provider)],
      ['gen_ai.request.model', target?.model ?? call.requestedModel],
      ['gen_ai.conversation.id', principal.session],
      ['gen_ai.agent.name', principal.agent],
      ['gen_ai.usage.input_tokens', call.inputTokens],
      ['gen_ai.usage.output_tokens', call.outputTokens],
      ['gen_ai.usage.cache_read.input_tokens', call.cachedTokens],
      ['error.type', call.errorType],
      ['http.response.status_code', call.status],
      [own('requested_model'), call.requestedModel],
      [own('provider'), target?.provider],
      [own('perimeter'), target?.perimeter],
      [own('classification'), call.classification],
      [own('purpose'), principal.purpose],
      [own('decision'), call.decision],
      [own('policies'), call.policies],
      [own('ledger.index'), call.ledgerIndex],
    ]),
    status: call.errorType === undefined ? {} : { code: error },
  };
}
