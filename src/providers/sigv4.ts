// AWS Signature Version 4 for one request with its body in memory, after the "Create a signed AWS API request" page of the
// IAM user guide. Only what a model call needs: POST, no query arrays, signed headers fixed.
import crypto from 'node:crypto';

export interface AwsCredential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface Signable {
  readonly method: string;
  readonly url: URL;
  readonly body: Uint8Array;
  readonly region: string;
  readonly service: string;
}

/** Headers to add. `host` is signed as undici will send it. */
export function signV4(credential: AwsCredential, request: Signable, now: Date): readonly (readonly [name: string, value: string])[] {
  const time = now.toISOString().replace(/[:-]|\.\d{3}/g, '');
  const day = time.slice(0, 8);
  const scope = `${day}/${request.region}/${request.service}/aws4_request`;
  const { sessionToken } = credential;
  const signed: (readonly [string, string])[] = [
    ['host', request.url.host],
    ['x-amz-date', time],
    ...(sessionToken === undefined ? [] : [['x-amz-security-token', sessionToken] as const]),
  ];
  const names = signed.map(([name]) => name).join(';');
  const canonical = [
    request.method,
    canonicalPath(request.url.pathname),
    canonicalQuery(request.url.searchParams),
    ...signed.map(([name, value]) => `${name}:${value}`),
    '',
    names,
    crypto.hash('sha256', request.body, 'hex'),
  ].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope, crypto.hash('sha256', canonical, 'hex')].join('\n');
  const key = [day, request.region, request.service, 'aws4_request'].reduce<Buffer | string>(hmac, `AWS4${credential.secretAccessKey}`);
  const signature = hmac(key, toSign).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  return [['authorization', authorization], ...signed.slice(1)];
}

function hmac(key: Buffer | string, text: string): Buffer {
  return crypto.createHmac('sha256', key).update(text).digest();
}

/** Every service but S3 encodes the path once more. */
function canonicalPath(pathname: string): string {
  return pathname.split('/').map(encode).join('/');
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted()
    .join('&');
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
