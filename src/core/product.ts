// The product's name stands here once: binary, configuration and state paths are derived from it.

export const product = {
  name: 'intramur',
  title: 'Intramur',
  /** How a refusal begins, in every dialect, so that people and scripts can recognise it. */
  refusalPrefix: 'Intramur refused:',
} as const;
