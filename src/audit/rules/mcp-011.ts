import { rule } from './rule.ts';

export const openListener = rule({
  id: 'MCP-011',
  severity: 'medium',
  summary: 'A local server listens for the whole network',
  owasp: ['ASI07'],
  remedy: 'Bind to 127.0.0.1, and require a token',
  *check({ servers, signals, listeners }) {
    for (const { doc, name, argv, values, url } of servers) {
      for (const [index, { value, line }] of argv.entries()) {
        if (
          /(^|[=:/])0\.0\.0\.0(:|$)/.test(value) ||
          (/^(--host|--bind|-H)$/.test(argv[index - 1]?.value ?? '') && /^(0\.0\.0\.0|::|\*)$/.test(value))
        )
          yield { doc, line, message: `server "${name}" listens on all addresses (${value})` };
      }
      for (const { key, value, line } of values)
        if (/host|bind|listen/i.test(key) && /^(0\.0\.0\.0|::)(:\d+)?$/.test(value))
          yield { doc, line, message: `server "${name}" listens on all addresses (${key})` };
      if (url !== undefined && /\/\/0\.0\.0\.0[:/]/.test(url.value))
        yield { doc, line: url.line, message: `server "${name}" is addressed as 0.0.0.0, so it listens on all addresses` };
    }
    for (const { means, doc, key, value, line } of signals)
      if (means === 'exposed-listener') yield { doc, line, message: `${key} = ${value}: reachable from the network`, severity: 'high' };
    for (const { agent, port, address } of listeners) {
      if (!/^127\.|^::1$/.test(address))
        yield {
          agent,
          message: `listens on port ${port} of ${address === '0.0.0.0' || address === '::' ? 'all addresses' : address}`,
          severity: 'high',
        };
    }
  },
});
