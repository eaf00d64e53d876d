// The options of a command: read strictly, with the nearest word for one that there is not, and told to whoever asks for help.
import { parseArgs } from 'node:util';
import { IntramurError, nearest } from '../core/index.ts';

export interface Option {
  readonly type: 'string' | 'boolean';
  readonly multiple?: boolean;
  readonly short?: string;
  readonly default?: string | boolean;
  /** What its value is, in a word; for one of type `string`. */
  readonly value?: string;
  readonly does: string;
}

export type Options = Readonly<Record<string, Option>>;

/** The options of each form of a command, by what follows the command's name; '' where it has but one. */
export type Forms = Readonly<Record<string, Options>>;

export const jsonOption = {
  json: { type: 'boolean', default: false, does: 'one JSON document on standard output' },
} as const satisfies Options;

/** However many words stand beside the options: the command looks at them itself. */
export const many = Number.POSITIVE_INFINITY;

/**
 * @param most so many words may stand beside the options
 * @throws IntramurError USAGE
 */
export function parseOptions<const O extends Options>(args: readonly string[], options: O, most = 0) {
  const parsed = read(args, options);
  const extra = parsed.positionals[most];
  if (extra !== undefined) throw usage(`unexpected ${JSON.stringify(extra)}`);
  return parsed;
}

function read<const O extends Options>(args: readonly string[], options: O) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, tokens: true });
  } catch (fault) {
    throw explained(fault, options);
  }
}

function explained(fault: unknown, options: Options): unknown {
  const message = fault instanceof Error ? fault.message : '';
  const [, named = ''] = /'(-{1,2}[^'\s=,]+)/.exec(message) ?? [];
  switch (fault instanceof Error && 'code' in fault ? fault.code : undefined) {
    case 'ERR_PARSE_ARGS_UNKNOWN_OPTION':
      return unknownOption(named, Object.keys(options));
    case 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE':
      return usage(
        /ambiguous/.test(message)
          ? `${named} needs a value; one that begins with "-" is written ${named.startsWith('--') ? `${named}=` : named}VALUE`
          : /does not take/.test(message)
            ? `${named} takes no value`
            : `${named} needs a value`,
      );
    default:
      return fault;
  }
}

/** @param name as it was typed, with its dashes */
export function unknownOption(name: string, known: readonly string[]): IntramurError {
  const meant = nearest(name.replace(/^-+/, ''), known);
  return usage(`there is no option ${JSON.stringify(name)}${meant === undefined ? '' : `; did you mean --${meant}?`}`);
}

function usage(message: string): IntramurError {
  return new IntramurError('USAGE', message, { hint: '--help after the command lists what it takes' });
}

/** The part of a command's help that lists its options, empty when it has none. */
export function optionsHelp(name: string, forms: Forms): string {
  const shown = Object.entries(forms).map(([form, options]) => {
    const rows = Object.entries(options).map(([long, { value, short, does }]) => {
      const names = `${short === undefined ? '' : `-${short}, `}--${long}${value === undefined ? '' : ` ${value}`}`;
      return `  ${names.padEnd(28)} ${does}\n`;
    });
    return { form, rows };
  });
  return shown
    .filter(({ form, rows }) => form !== '' || rows.length > 0)
    .map(({ form, rows }) => `\n${form === '' ? '' : `${name} ${form}\n`}${rows.join('')}`)
    .join('');
}
