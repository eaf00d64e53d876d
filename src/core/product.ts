// The product's name stands here once: binary, configuration and state paths are derived from it. The plain constants are for the
// command line's first file, into which the bundler writes their values, so that `--version` loads one file.

export const productName = 'intramur';
export const productTitle = 'Intramur';

export const product = {
  name: productName,
  title: productTitle,
  /** How a refusal begins, in every dialect, so that people and scripts can recognise it. */
  refusalPrefix: 'Intramur refused:',
} as const;
