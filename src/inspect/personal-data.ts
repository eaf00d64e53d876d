// Personal data that can be checked: numbers with check digits, and addresses where the words around them say what they are. Off
// unless asked for: code is full of fixtures.
import type { InspectFinding, Tier } from '../core/index.ts';
import type { View } from './view.ts';

export interface PersonalDatum {
  readonly id: string;
  readonly tier: Tier;
  /** Global; the group `value`, where there is one, is what was found. */
  readonly pattern: RegExp;
  verify(value: string): boolean;
  readonly hits: readonly string[];
  readonly misses: readonly string[];
}

const digitsOf = (text: string) => text.replace(/\D/g, '');

/** ISO/IEC 7812-1, annex B. */
export function passesLuhn(text: string): boolean {
  const digits = digitsOf(text);
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return digits.length > 0 && sum % 10 === 0;
}

/** ISO 13616: the number with letters as 10-35, its first four characters moved to the end, is 1 modulo 97. */
function passesIban(text: string): boolean {
  const compact = text.replace(/\s/g, '').toUpperCase();
  let remainder = 0;
  for (const character of compact.slice(4) + compact.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return compact.length >= 15 && remainder === 1;
}

function weightedSum(digits: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, i) => sum + weight * Number(digits[i]), 0);
}

/** ISO 7064, MOD 11,10. */
function passesGermanTaxId(digits: string): boolean {
  let product = 10;
  for (const digit of digits.slice(0, 10)) {
    const sum = (Number(digit) + product) % 10;
    product = ((sum === 0 ? 10 : sum) * 2) % 11;
  }
  return (11 - product) % 10 === Number(digits[10]);
}

const isVaried = (text: string) => new Set(digitsOf(text)).size > 3;

export const personalData: readonly PersonalDatum[] = [
  {
    id: 'payment-card',
    tier: 'route',
    pattern: /(?<![\w.-])(?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|3[47]\d\d|6(?:011|5\d\d))(?:[ -]?\d{4}){2}[ -]?\d{3,4}(?![\w-])/g,
    verify: (value) => passesLuhn(value) && isVaried(value),
    hits: ['card 4539 1488 0343 6467', '5425233430109903'],
    misses: ['4539 1488 0343 6468', '4444444444444444', 'id 1234567812345670'],
  },
  {
    id: 'iban',
    tier: 'route',
    pattern: /(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)/g,
    verify: passesIban,
    hits: ['DE89 3704 0044 0532 0130 00', 'GB82WEST12345698765432'],
    misses: ['DE89 3704 0044 0532 0130 01', 'AB12 CONST VALUE'],
  },
  {
    id: 'us-social-security-number',
    tier: 'route',
    pattern: /(?:ssn|social security)[^\n\d]{0,24}(?<value>(?!000|666|9\d\d)\d{3}[- ](?!00)\d\d[- ](?!0000)\d{4})(?!\d)/gi,
    verify: isVaried,
    hits: ['SSN: 536-22-8717'],
    misses: ['536-22-8717', 'ssn: 000-12-3456'],
  },
  {
    id: 'german-tax-id',
    tier: 'route',
    pattern: /(?:steuer|tax|idnr)[^\n\d]{0,40}(?<value>[1-9]\d{10})(?!\d)/gi,
    verify: passesGermanTaxId,
    hits: ['Steuer-ID 86095742719'],
    misses: ['Steuer-ID 86095742718', '86095742719'],
  },
  {
    id: 'dutch-bsn',
    tier: 'route',
    pattern: /(?:bsn|burgerservicenummer)[^\n\d]{0,24}(?<value>\d{9})(?!\d)/gi,
    verify: (value) => weightedSum(value, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0,
    hits: ['BSN 111222333'],
    misses: ['BSN 111222334', '111222333'],
  },
  {
    id: 'polish-pesel',
    tier: 'route',
    pattern: /pesel[^\n\d]{0,24}(?<value>\d{11})(?!\d)/gi,
    verify: (value) => (10 - (weightedSum(value, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10 === Number(value[10]),
    hits: ['PESEL: 44051401359'],
    misses: ['PESEL: 44051401358'],
  },
  {
    id: 'spanish-dni',
    tier: 'route',
    pattern: /(?<!\w)(?<value>[0-9XYZ]\d{7}-?[A-HJ-NP-TV-Z])(?!\w)/g,
    verify: (value) =>
      'TRWAGMYFPDXBNJZSQVHLCKE'[Number(digitsOf(value.replace(/^[XYZ]/, (letter) => String('XYZ'.indexOf(letter))))) % 23] === value.at(-1),
    hits: ['DNI 12345678Z'],
    misses: ['12345678A'],
  },
  {
    id: 'e-mail',
    tier: 'count',
    pattern:
      /(?:e-?mail|contact|customer|kunde|user)[^\n@]{0,40}?(?<value>\b[\w.+-]{1,64}@(?!example\.|test\.|localhost)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4})/gi,
    verify: (value) => !/@(?:.*\.)?(?:example|test|invalid)(?:\.|$)|noreply/i.test(value),
    hits: ['customer email: jane.roe@acme-corp.de'],
    misses: ['email: jane@example.com', 'git@github.com:a/b.git'],
  },
  {
    id: 'phone-number',
    tier: 'count',
    pattern: /(?:phone|tel|mobile|telefon|handy)\w{0,8}["' ]{0,3}[:=]["' ]{0,3}(?<value>\+[1-9]\d{0,2}[ ()\d/-]{6,18}\d)/gi,
    verify: (value) => digitsOf(value).length >= 9 && isVaried(value),
    hits: ['phone: +49 30 1234 5678'],
    misses: ['phone: 5', 'tel: +00'],
  },
];

export function personalDataIn(view: View, fingerprint: (value: string) => string): InspectFinding[] {
  return personalData.flatMap(({ id, tier, pattern, verify }) =>
    [...view.text.matchAll(pattern)].flatMap((match): InspectFinding[] => {
      const value = match.groups?.['value'] ?? match[0];
      if (!verify(value)) return [];
      const start = match.index + match[0].lastIndexOf(value);
      const end = start + value.length;
      const redacted = `${id}, ${value.length} characters, #${fingerprint(value)}`;
      return [{ kind: 'pii', tier, detector: id, view: view.decodersOf(start, end), ...view.origin(start, end), redacted }];
    }),
  );
}
