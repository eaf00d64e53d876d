// The floor: Node and undici hand bytes on; nothing is read, decided or recorded. `node bench/gateway/bare.ts ORIGIN`.
import http from 'node:http';
import { Pool } from 'undici';

const pool = new Pool(process.argv[2] ?? '', { connections: 512 });
const server = http.createServer((request, response) => {
  const { host: _host, connection: _connection, ...headers } = request.headers;
  pool
    .stream({ path: request.url ?? '/', method: 'POST', headers, body: request }, ({ statusCode, headers: answered }) => {
      response.writeHead(statusCode, answered);
      return response;
    })
    .catch(() => response.destroy());
});
server.keepAliveTimeout = 65_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.(typeof address === 'object' && address ? address.port : 0);
});
process.on('disconnect', () => process.exit(0));
