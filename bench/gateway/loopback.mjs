// Preloaded into peers that would listen on every address of the machine: what is measured here listens on loopback.
import net from 'node:net';

const { listen } = net.Server.prototype;
net.Server.prototype.listen = function onLoopback(...args) {
  const [first, ...rest] = args;
  if (typeof first === 'object' && first !== null && 'port' in first) return listen.call(this, { ...first, host: '127.0.0.1' }, ...rest);
  const callback = args.find((arg) => typeof arg === 'function');
  return listen.call(this, { port: Number(first), host: '127.0.0.1' }, ...(callback ? [callback] : []));
};
