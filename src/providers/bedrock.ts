// Amazon Bedrock's runtime through the addresses that speak a vendor's own dialect, so no event-stream framing is met:
// `/anthropic` (Messages) and `/openai/v1` (Chat). The key is a Bedrock API key, or `ACCESS_KEY_ID:SECRET[:SESSION_TOKEN]` to sign.
import { anthropicPaths, bearer, openAiPaths, service } from './service.ts';
import { type AwsCredential, signV4 } from './sigv4.ts';

const runtime = 'bedrock-runtime.*.amazonaws.com';
const mantle = 'bedrock-mantle.*.api.aws';

export const bedrock = service({
  id: 'bedrock',
  name: 'Amazon Bedrock',
  perimeter: 'vpc',
  urls: {},
  keyEnv: 'AWS_BEARER_TOKEN_BEDROCK',
  endpoints: [
    ...[runtime, mantle].map((host) => anthropicPaths(host, '/anthropic')),
    ...openAiPaths(runtime, '/openai/v1'),
    ...openAiPaths(mantle),
  ],
  authorize(key, dialect, outgoing, now) {
    const credential = parseCredential(key);
    if (!credential) return bearer(key, dialect, outgoing, now);
    const [prefix, region] = outgoing.url.hostname.split('.');
    return signV4(
      credential,
      {
        method: 'POST',
        url: outgoing.url,
        body: outgoing.bytes,
        region: region ?? 'us-east-1',
        service: prefix === 'bedrock-mantle' ? prefix : 'bedrock',
      },
      now,
    );
  },
});

function parseCredential(key: string): AwsCredential | undefined {
  const [, accessKeyId, secretAccessKey, sessionToken] = /^(A[A-Z0-9]{15,127}):([^:]+)(?::(.+))?$/.exec(key) ?? [];
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}
