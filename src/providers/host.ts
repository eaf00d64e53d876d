// Host patterns of the service tables.

const compiled = new Map<string, RegExp>();

/** `*.example` matches names below `example`, any depth; a `*` elsewhere stays within one label. */
export function hostMatches(pattern: string, host: string): boolean {
  if (!pattern.includes('*')) return pattern === host;
  let expression = compiled.get(pattern);
  if (!expression) {
    const body = pattern.replace(/^\*\./, '\0').replaceAll('.', '\\.').replaceAll('*', '[a-z0-9-]+').replace('\0', '(?:[a-z0-9-]+\\.)+');
    expression = new RegExp(`^${body}$`);
    compiled.set(pattern, expression);
  }
  return expression.test(host);
}
