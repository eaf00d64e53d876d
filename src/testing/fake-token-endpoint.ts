// A vendor's token endpoint (RFC 6749, section 6) that hands out canaries: a refresh token is good once, and using one twice is held
// against the login, as vendors do. What it answers can be bent.

export interface TokenEndpointAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RehearsedTokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly id_token: string;
  readonly expires_in?: number;
  readonly scope: string;
}

export interface FakeTokenEndpoint {
  /** Bodies as they came. */
  readonly asked: readonly string[];
  /** Every token that was ever real, in the order it became so. */
  readonly real: readonly string[];
  /** Tokens that are good now. */
  readonly current: { readonly access: string; readonly refresh: string };
  /** From now on this is done to every answer with tokens; `undefined` ends it. */
  bend(how: ((answer: RehearsedTokens) => TokenEndpointAnswer) | undefined): void;
  /** An authorization code is always good; a refresh token is when it is the newest. */
  answer(body: string): TokenEndpointAnswer;
}

const json = { 'content-type': 'application/json' };

/** @param seed part of every token, so that canaries can be told apart */
export function createFakeTokenEndpoint(seed: string, expiresIn: number | undefined = 3600): FakeTokenEndpoint {
  const asked: string[] = [];
  const real: string[] = [];
  let serial = 0;
  let bent: ((answer: RehearsedTokens) => TokenEndpointAnswer) | undefined;
  let isRevoked = false;
  const mint = (kind: string): string => {
    const token = `REAL-${kind}-${seed}-${serial}-Zq7Xv2Kp9Lm4Rt8Wy1Bn6Hd3`;
    real.push(token);
    return token;
  };
  const next = (): { access: string; refresh: string; identity: string } => {
    serial++;
    const claims = Buffer.from(JSON.stringify({ email: `REAL-email-${seed}@example.com`, sub: 'REAL-sub' })).toString('base64url');
    return { access: mint('access'), refresh: mint('refresh'), identity: `e30.${claims}.REAL-signature-${seed}` };
  };
  let current = next();
  return {
    asked,
    real,
    get current() {
      return current;
    },
    bend(how) {
      bent = how;
    },
    answer(body) {
      asked.push(body);
      const fields = new Map<string, unknown>(
        body.startsWith('{') ? Object.entries(JSON.parse(body) as object) : [...new URLSearchParams(body)],
      );
      if (fields.get('grant_type') === 'refresh_token') {
        const token = fields.get('refresh_token');
        if (isRevoked || token !== current.refresh) {
          isRevoked ||= real.includes(String(token));
          const text = JSON.stringify({ error: 'invalid_grant', error_description: `the refresh token ${String(token)} is not good` });
          return { status: 400, headers: json, body: text };
        }
      }
      current = next();
      const { access, refresh, identity } = current;
      const tokens = {
        access_token: access,
        refresh_token: refresh,
        id_token: identity,
        token_type: 'Bearer',
        ...(expiresIn === undefined ? {} : { expires_in: expiresIn }),
        scope: 'openid profile',
        account: { email: `REAL-email-${seed}@example.com` },
      };
      return bent?.(tokens) ?? { status: 200, headers: json, body: JSON.stringify(tokens) };
    },
  };
}
