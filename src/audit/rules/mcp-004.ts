import { rule } from './rule.ts';

export const plainHttp = rule({
  id: 'MCP-004',
  severity: 'high',
  summary: 'A remote MCP server is reached without encryption',
  owasp: ['ASI07'],
  remedy: 'Use https',
  *check({ servers }) {
    for (const { doc, name, url, argv } of servers) {
      for (const { value, line } of [...(url === undefined ? [] : [url]), ...argv]) {
        if (!/^(http|ws):\/\//i.test(value) || !URL.canParse(value)) continue;
        const { hostname } = new URL(value);
        if (!/^(localhost|127\.\d+\.\d+\.\d+|\[::1\]|0\.0\.0\.0|host\.docker\.internal)$|\.localhost$/.test(hostname))
          yield {
            doc,
            line,
            message: `server "${name}" is reached over plain http at ${hostname}: anybody on the way can change its tools`,
          };
      }
    }
  },
});
