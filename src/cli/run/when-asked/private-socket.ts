// A socket of the launcher's own that is shown to one session: below a directory that nobody else can enter.
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

const maxConnections = 64;

export interface PrivateSocket {
  readonly socket: string;
  close(): void;
}

export async function privateSocket(workspace: string, serve: (connection: net.Socket) => void): Promise<PrivateSocket> {
  // Short, because the path of a socket is; 0700 from the start, because the socket is not.
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-'));
  const socket = path.join(directory, 'agent');
  const server = net.createServer(serve);
  const close = (): void => {
    server.close();
    fs.rmSync(directory, { recursive: true, force: true });
  };
  server.maxConnections = maxConnections;
  server.unref();
  try {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    server.listen(socket, resolve);
    await promise;
    giveToOwner(workspace, directory, socket);
  } catch (fault) {
    close();
    throw fault;
  }
  return { socket, close };
}

/** Started by root, the sandbox runs as the owner of the workspace. */
function giveToOwner(workspace: string, ...files: readonly string[]): void {
  if (process.geteuid?.() !== 0) return;
  const { uid, gid } = fs.statSync(workspace);
  for (const file of files) fs.chownSync(file, uid, gid);
}
