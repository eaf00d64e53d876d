// Secrets told only by the field they stand in: `password = "…"`, `API_KEY=…`. Entropy counts here and only here, because the
// name of the field gives it context.
import { detector } from '../detector.ts';
import { isStandIn } from './connection.ts';
import { fill } from './fill.ts';

const NAMED = '(?:password|passwd|passphrase|secret|token|credentials?|(?:api|access|auth|private)[_-]?key)';
const ASSIGNED = '[\\w.-]{0,30}["\'`\\]]{0,2}[ \\t]{0,4}(?:=>|:=|===?|[=:])[ \\t]{0,4}';
const keywords = ['password', 'passwd', 'passphrase', 'secret', 'token', 'credential'].concat(
  ['api', 'access', 'auth', 'private'].flatMap((word) => [`${word}key`, `${word}_key`, `${word}-key`]),
);

/** Identifiers, paths, versions and prose are not values of secrets. */
function looksRandom(value: string): boolean {
  if (/^[A-Za-z._-]+\d?$/.test(value)) return false;
  if (isStandIn(value) || /^[a-z_.]+\(|^\d+$|^[\w.-]+\.[a-z]{2,4}$|^(?:process|os|env|config|settings|self|this)\b/i.test(value))
    return false;
  return /\d/.test(value) && /[A-Za-z]/.test(value) && !/^[A-Z_]+\d?$/.test(value);
}

export const generic = [
  detector({
    id: 'aws-secret-access-key',
    label: 'secret',
    keywords: ['secret', 'aws_sec'],
    pattern:
      /(?:aws_)?(?:sec(?:ret)?)[_-]?(?:access)?[_-]?(?:key)?["'`\]]{0,2}[ \t]{0,4}(?:=>|:=|[=:])[ \t]{0,4}["'`]{0,2}(?<value>[A-Za-z0-9+/]{40})(?![\w+/=])/i,
    minEntropy: 4,
    verify: (value) => /[A-Z]/.test(value) && /[a-z]/.test(value) && /\d/.test(value) && !value.endsWith('EXAMPLEKEY'),
    hits: [`aws_secret_access_key = ${fill('base62', 40)}`, `"SecretAccessKey": "${fill('base62', 40, 2)}"`],
    misses: ['aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY' + 'EXAMPLEKEY', `secret: ${fill('hex', 40)}`],
  }),
  detector({
    id: 'facebook-access-token',
    label: 'secret',
    tier: 'route',
    keywords: ['facebook'],
    pattern: /facebook[^\n]{0,60}?(?<value>\b\d{15,16}\|[0-9A-Za-z_-]{27,40})(?![\w-])/i,
    minEntropy: 3.5,
    hits: [`FACEBOOK_TOKEN=${fill('digits', 15)}|${fill('base62', 27)}`],
    misses: ['facebook | twitter', `facebook ${fill('digits', 15)}`],
  }),
  detector({
    id: 'generic-secret',
    label: 'secret',
    tier: 'route',
    keywords,
    pattern: new RegExp(`${NAMED}${ASSIGNED}["'\`]{0,2}(?<value>[\\w.~+/=-]{16,200})(?![\\w.~+/=(-])`, 'i'),
    minEntropy: 3.5,
    verify: looksRandom,
    hits: [`api_key = "${fill('base62', 32)}"`, `REDIS_PASSWORD=${fill('base62', 20)}`, `"clientSecret": "${fill('base62', 40, 3)}"`],
    misses: [
      'password = process.env.DATABASE_PASSWORD',
      'token: parser.nextTokenOfKind(kind)',
      'api_key = "your_api_key_goes_here"',
      'const secret = configuration.secretName2',
      'secretName: my-application-tls-secret',
    ],
  }),
  detector({
    id: 'generic-password',
    label: 'secret',
    tier: 'count',
    keywords: ['password', 'passwd', 'passphrase', 'secret'],
    pattern: new RegExp(`(?:password|passwd|passphrase|secret)${ASSIGNED}(?<quote>["'\`])(?<value>[^"'\`\\s]{6,80})\\k<quote>`, 'i'),
    minEntropy: 2,
    verify: (value) => !isStandIn(value) && !/^[a-z]+$|^[\w.]+\(|[{}<>]/i.test(value),
    hits: [`password = 'hunter2-${fill('base62', 4)}'`],
    misses: ["password = 'password'", "password: ''", 'password: string'],
  }),
];
