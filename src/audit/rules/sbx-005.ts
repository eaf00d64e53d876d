import { everyText } from '../read/node.ts';
import { rule } from './rule.ts';

const socket = /(docker|podman|containerd|crio|kubelet|lxd)[\w./-]*\.sock\b|\/var\/run\/docker\b/;

export const privilegedSocket = rule({
  id: 'SBX-005',
  severity: 'critical',
  summary: "A container engine's socket is handed to the agent or its server: root on this machine",
  owasp: ['ASI03'],
  remedy: 'Remove the mount or the socket from the list',
  *check({ docs }) {
    for (const doc of docs) {
      if (doc.root === undefined || (doc.file.role !== 'settings' && doc.file.role !== 'mcp' && doc.file.role !== 'hooks')) continue;
      for (const { keys, line, value } of everyText(doc.root)) {
        if (!socket.test(value) || keys.some((key) => /^(deny|ask|denied|exclude)/i.test(key))) continue;
        yield { doc, line, message: `${keys.join('.')} hands over ${socket.exec(value)?.[0] ?? 'the socket'}: whoever has it is root` };
      }
    }
  },
});
