// How well secrets are found, beside secretlint: made-up values in the formats that their issuers publish, set into files as people
// write them, and look-alikes that are no secrets. Labelled corpora of real leaks are not in any package registry, so these sets are
// synthetic: they say which formats and encodings are seen, not how often people leak which.
import crypto from 'node:crypto';
import { createRequire } from 'node:module';
import zlib from 'node:zlib';
import { createInspector } from '../../src/inspect/index.ts';
import { randomFrom } from './quality.ts';

type Random = () => number;

const alphabets = {
  digits: '0123456789',
  hex: '0123456789abcdef',
  lower: 'abcdefghijklmnopqrstuvwxyz0123456789',
  upper: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789',
  base32: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567',
  base62: '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
  base64: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
  base64url: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
};

function some(alphabet: keyof typeof alphabets, length: number, random: Random): string {
  return Array.from({ length }, () => alphabets[alphabet][Math.floor(random() * alphabets[alphabet].length)]).join('');
}

/** The last six characters are the CRC-32 of the ones before, in base 62 (GitHub's blog, April 2021). */
function github(prefix: string, random: Random): string {
  const payload = some('base62', 30, random);
  let rest = zlib.crc32(payload);
  let check = '';
  for (let i = 0; i < 6; i++) {
    check = (alphabets.base62[rest % 62] ?? '') + check;
    rest = Math.floor(rest / 62);
  }
  return prefix + payload + check;
}

const url64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const pem = (random: Random) =>
  `-----BEGIN RSA PRIVATE KEY-----\n${(some('base64', 1600, random).match(/.{1,64}/g) ?? []).join('\n')}\n-----END RSA PRIVATE KEY-----`;

/** What each is, and where people put it. */
const secrets: readonly (readonly [string, (random: Random) => string])[] = [
  ['GitHub token', (r) => `GITHUB_TOKEN=${github('ghp_', r)}`],
  ['GitHub app token', (r) => `token: ${github('ghs_', r)}`],
  ['GitHub fine-grained token', (r) => `export GH="github_pat_${some('base62', 22, r)}_${some('base62', 59, r)}"`],
  ['GitLab token', (r) => `curl -H "PRIVATE-TOKEN: glpat-${some('base64url', 20, r).replace(/-/g, 'x')}"`],
  ['AWS key id', (r) => `aws_access_key_id = AKIA${some('base32', 16, r)}`],
  ['AWS secret', (r) => `aws_secret_access_key = ${some('base62', 38, r)}+/`],
  ['Anthropic key', (r) => `ANTHROPIC_API_KEY=sk-ant-api03-${some('base64url', 93, r)}AA`],
  ['OpenAI project key', (r) => `openai.api_key = "sk-proj-${some('base62', 74, r)}T3BlbkFJ${some('base62', 74, r)}"`],
  ['Slack bot token', (r) => `slack_token: xoxb-${some('digits', 12, r)}-${some('digits', 12, r)}-${some('base62', 24, r)}`],
  ['Slack webhook', (r) => `https://hooks.slack.com/services/T${some('upper', 8, r)}/B${some('upper', 8, r)}/${some('base62', 24, r)}`],
  ['Stripe key', (r) => `stripe.api_key = 'sk_live_${some('base62', 24, r)}'`],
  ['npm token', (r) => `//registry.npmjs.org/:_authToken=${github('npm_', r)}`],
  ['PyPI token', (r) => `password = pypi-AgEIcHlwaS5vcmc${some('base64url', 150, r)}`],
  ['Google API key', (r) => `const key = "AIza${some('base64url', 35, r).replace(/[-_]$/, 'x')}";`],
  ['Google OAuth secret', (r) => `"client_secret": "GOCSPX-${some('base64url', 28, r).replace(/[-_]$/, 'x')}"`],
  ['SendGrid key', (r) => `SENDGRID=SG.${some('base62', 22, r)}.${some('base62', 43, r)}`],
  ['Twilio key', (r) => `twilio_api_key: SK${some('hex', 32, r)}`],
  ['Hugging Face token', (r) => `HF_TOKEN=hf_${some('base62', 34, r).replace(/\d/g, 'q')}`],
  ['Private key', pem],
  [
    'JWT',
    (r) =>
      `Authorization: Bearer ${url64({ alg: 'HS256', typ: 'JWT' })}.${url64({ sub: some('digits', 9, r), iat: 1700000000 })}.${some('base64url', 43, r)}`,
  ],
  ['PostgreSQL URL', (r) => `DATABASE_URL=postgres://app:${some('base62', 18, r)}@db.internal:5432/orders`],
  ['MongoDB URL', (r) => `mongodb+srv://svc:${some('base62', 18, r)}@cluster0.mongodb.internal/prod`],
  ['Redis password', (r) => `REDIS_PASSWORD=${some('base62', 20, r)}`],
  ['Generic API key', (r) => `api_key: "${some('base62', 32, r)}"`],
  ['Basic auth URL', (r) => `git clone https://deploy:${some('base62', 20, r)}@git.internal/core.git`],
  ['Datadog key', (r) => `DATADOG_API_KEY=${some('lower', 40, r)}`],
  ['DigitalOcean token', (r) => `do_token = "dop_v1_${some('hex', 64, r)}"`],
  ['Shopify token', (r) => `X-Shopify-Access-Token: shpat_${some('hex', 32, r)}`],
  ['Telegram token', (r) => `telegram_bot_token=${some('digits', 10, r).replace(/^0/, '1')}:AA${some('base64url', 33, r)}`],
  [
    'Azure storage key',
    (r) => `DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=${some('base64', 86, r)}==;EndpointSuffix=core.windows.net`,
  ],
  ['Vault token', (r) => `VAULT_TOKEN=hvs.${some('base64url', 95, r)}`],
  ['Databricks token', (r) => `token = dapi${some('hex', 32, r)}`],
  ['Docker token', (r) => `docker login -u ci -p dckr_pat_${some('base64url', 27, r)}`],
  ['Linear key', (r) => `LINEAR=lin_api_${some('base62', 40, r)}`],
  ['age key', (r) => `AGE-SECRET-KEY-1${some('upper', 58, r).replace(/[^QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]/g, 'Q')}`],
]; // prettier-ignore

/** Look-alikes: what files are full of and no secret. */
const innocent: readonly (readonly [string, (random: Random) => string])[] = [
  ['commit', (r) => `commit ${some('hex', 40, r)}`],
  ['integrity', (r) => `"integrity": "sha512-${some('base64', 86, r)}=="`],
  ['UUID', (r) => `id: ${[8, 4, 4, 4, 12].map((n) => some('hex', n, r)).join('-')}`],
  ['digest', (r) => `image: redis@sha256:${some('hex', 64, r)}`],
  ['variable', () => 'password = os.environ["DATABASE_PASSWORD"]'],
  ['placeholder', () => 'api_key: "your-api-key-goes-here"'],
  ['template', () => `DATABASE_URL=postgres://user:\${DB_PASSWORD}@db/app`],
  ['documented URL', () => 'postgres://user:password@localhost:5432/db'],
  ['type', () => 'function login(password: string, token: AccessToken): Promise<Session>'],
  ['redacted', () => 'ANTHROPIC_API_KEY=sk-ant-api03-****************'],
  ['public key', (r) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${some('base64', 43, r)} me@host`],
  [
    'certificate',
    (r) => `-----BEGIN CERTIFICATE-----\n${(some('base64', 900, r).match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----`,
  ],
  ['picture', (r) => `![](data:image/png;base64,iVBORw0KGgo${some('base64', 400, r)})`],
  ['colour', () => 'color: #a1b2c3d4; --key: #ffeeddcc;'],
  ['prose', () => 'The secret of a good password is that nobody but its owner knows the token it stands for.'],
  ['test name', () => 'it("rejects an expired access_token with secretKeyMissingError", async () => {'],
  ['class name', () => 'const tokenizer = new WhitespaceSecretTokenizerFactoryImplementation2();'],
  ['bad checksum', (r) => `see ghp_${some('base62', 36, r)} in the documentation`],
]; // prettier-ignore

const b64 = (text: string | Buffer) => Buffer.from(text).toString('base64');
const encodings: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  'JSON in JSON': (text) => JSON.stringify({ a: JSON.stringify({ b: text }) }),
  base64: (text) => b64(`${text}\n`),
  'base64 of gzip': (text) => b64(zlib.gzipSync(`${text}\n`)),
  hex: (text) => Buffer.from(text).toString('hex'),
  percent: (text) => [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  'unicode escapes': (text) => [...text].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
  'zero-width': (text) => text.replace(/\w/g, '$&\u200b'),
  'string concatenation': (text) => (text.match(/[^]{1,12}/g) ?? []).map((part) => JSON.stringify(part)).join(' + '),
  reversed: (text) =>
    `The text reads backwards as follows, so turn it around before you use it for the build:\n${[...`${text} is the value that is used for all the other tests of the system`].reverse().join('')}`,
};

interface Finder {
  readonly name: string;
  finds(text: string): Promise<boolean>;
}

async function secretlint(): Promise<Finder> {
  const require = createRequire(new URL('../peers/package.json', import.meta.url));
  const { lintSource } = (await import(require.resolve('@secretlint/core').replace('/dist/', '/module/'))) as {
    lintSource(input: object): Promise<{ messages: readonly unknown[] }>;
  };
  const preset = (await import(require.resolve('@secretlint/secretlint-rule-preset-recommend').replace('/dist/', '/module/'))) as {
    creator: object;
  };
  const config = { rules: [{ id: '@secretlint/secretlint-rule-preset-recommend', rule: preset.creator, options: {} }] };
  return {
    name: 'secretlint',
    async finds(content) {
      const source = { content, filePath: '/a/config.txt', ext: '.txt', contentType: 'text' };
      const { messages } = await lintSource({ source, options: { config, noPhysicFilePath: true } });
      return messages.length > 0;
    },
  };
}

function own(): Finder {
  const inspector = createInspector({ fingerprintKey: crypto.randomBytes(16) });
  return {
    name: 'Intramur',
    async finds(text) {
      const { labels } = await inspector.inspect({ bytes: Buffer.from(text), contentType: 'text/plain', views: [] });
      return labels.includes('secret');
    },
  };
}

export async function measureSecrets({ seed, each }: { readonly seed: number; readonly each: number }): Promise<Record<string, unknown>> {
  const result: Record<string, unknown> = {};
  for (const finder of [own(), await secretlint()]) {
    const rows: Record<string, { precision: number; recall: number; f1: number }> = {};
    const missed = new Set<string>();
    for (const [encoding, encode] of Object.entries(encodings)) {
      const random = randomFrom(seed);
      let found = 0;
      let wrong = 0;
      for (const [name, make] of secrets) {
        for (let i = 0; i < each; i++) {
          if (await finder.finds(encode(make(random)))) found += 1;
          else if (encoding === 'plain') missed.add(name);
        }
      }
      for (const [name, make] of innocent) {
        for (let i = 0; i < each; i++) {
          if (!(await finder.finds(encode(make(random))))) continue;
          wrong += 1;
          if (encoding === 'plain') missed.add(`not ${name}`);
        }
      }
      const recall = found / (secrets.length * each);
      const precision = found / Math.max(1, found + wrong);
      rows[encoding] = { precision, recall, f1: (2 * precision * recall) / Math.max(1e-9, precision + recall) };
    }
    result[finder.name] = rows;
    const shown = Object.entries(rows).map(([encoding, { f1 }]) => `${encoding} ${f1.toFixed(2)}`);
    console.log(`secrets, ${finder.name}: F1 ${shown.join(', ')}`);
    console.log(
      `  plain: precision ${rows['plain']?.precision.toFixed(3)}, recall ${rows['plain']?.recall.toFixed(3)}; wrong on ${[...missed].join(', ') || 'none'}`,
    );
  }
  return result;
}
