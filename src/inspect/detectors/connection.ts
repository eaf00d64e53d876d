// Credentials inside URLs and headers: connection strings (RFC 3986, userinfo), basic and bearer authorisation (RFC 7617, 6750).
import { detector } from '../detector.ts';
import { fill } from './fill.ts';

/** Words that stand where a password would, in documentation, templates and compose files of development set-ups. */
const standIn =
  /^(?:[*.x_-]+|[<{[(].*|.*[>}\])]|\$.*|%.*%?|:.*|(?:my[-_]?)?(?:pass(?:word|wd)?|pwd|secret|token|key|user(?:name)?|postgres|root|admin|mysql|mongo|redis|guest|test|example|changeme|change[-_]me|xxx+|none|null|undefined|true|false)[-_]?\d{0,4})$/i;

export function isStandIn(value: string): boolean {
  return standIn.test(value);
}

function passwordIsReal(userinfo: string): boolean {
  const password = userinfo.slice(userinfo.indexOf(':') + 1);
  return password.length >= 5 && !isStandIn(password);
}

const basic = (user: string, password: string) => Buffer.from(`${user}:${password}`).toString('base64');

export const connection = [
  detector({
    id: 'database-connection-string',
    reach: 600,
    label: 'secret',
    keywords: [
      'postgres://',
      'postgresql://',
      'mysql://',
      'mariadb://',
      'mongodb://',
      'mongodb+srv://',
      'redis://',
      'rediss://',
      'amqp://',
      'amqps://',
      'mssql://',
      'sqlserver://',
      'clickhouse://',
    ],
    pattern: /[a-z+]{4,12}:\/\/(?<value>[^\s:@/"'`<>\\]{0,80}:[^\s@/"'`<>\\]{1,200})@[\w.[\]:-]{1,255}/i,
    verify: passwordIsReal,
    hits: [`postgres://app:${fill('base62', 16)}@db.internal:5432/orders`, `redis://:${fill('base62', 20)}@cache:6379/0`],
    misses: [
      'postgres://user:password@localhost/db',
      'postgres://localhost/db',
      `mysql://root:\${DB_PASSWORD}@db/app`,
      'redis://cache:6379/0',
    ],
  }),
  detector({
    id: 'basic-auth-url',
    reach: 600,
    label: 'secret',
    tier: 'route',
    keywords: ['http://', 'https://', 'ftp://', 'ssh://', 'git://'],
    pattern: /[a-z]{3,5}:\/\/(?<value>[^\s:@/"'`<>\\?#]{1,80}:[^\s@/"'`<>\\?#]{1,200})@[\w.[\]:-]{1,255}/i,
    verify: passwordIsReal,
    minEntropy: 2.5,
    hits: [`https://deploy:${fill('base62', 20)}@git.acme.example/core.git`],
    misses: ['https://user:password@example.com/', 'https://example.com:8080/@scope/x', `http://user:\${TOKEN}@host/`],
  }),
  detector({
    id: 'authorization-basic',
    reach: 450,
    label: 'secret',
    tier: 'route',
    keywords: ['basic '],
    pattern: /basic (?<value>[A-Za-z0-9+/]{12,400}={0,2})(?![\w+/=])/i,
    verify: (value) => {
      const decoded = Buffer.from(value, 'base64').toString('latin1');
      return /^[\x21-\x7e]{1,80}:[\x20-\x7e]{5,}$/.test(decoded) && passwordIsReal(decoded);
    },
    hits: [`Authorization: Basic ${basic('ci', fill('base62', 18))}`],
    misses: ['Basic authentication', `Authorization: Basic ${basic('user', 'password')}`],
  }),
  detector({
    id: 'authorization-bearer',
    label: 'secret',
    tier: 'route',
    keywords: ['bearer '],
    pattern: /bearer (?<value>[A-Za-z0-9._~+/-]{24,2000}={0,2})(?![\w+/=])/i,
    reach: 2100,
    minEntropy: 3.7,
    verify: (value) => /\d/.test(value) && /[A-Za-z]/.test(value),
    hits: [`Authorization: Bearer ${fill('base62', 40)}`],
    misses: ['Authorization: Bearer $TOKEN', 'bearer of the responsibilities-of-the-office'],
  }),
  detector({
    id: 'netrc-password',
    label: 'secret',
    keywords: ['machine '],
    tier: 'route',
    pattern: /machine [\w.-]{1,255}\s{1,8}login \S{1,100}\s{1,8}password (?<value>\S{6,200})/i,
    verify: (value) => !isStandIn(value),
    reach: 700,
    hits: [`machine git.acme.example login ci password ${fill('base62', 16)}`],
    misses: ['machine learning login page password field', 'machine host login user password password'],
  }),
];
