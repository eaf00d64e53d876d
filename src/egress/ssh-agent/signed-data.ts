// What an agent is asked to sign. A key that logs in and signs commits shall not be made to sign anything else, a certificate for
// instance: only these two forms are known here.
import { Fields } from './message.ts';

const userauthRequest = 50;
const methods = ['publickey', 'publickey-hostbound-v00@openssh.com'];
const sshsig = Buffer.from('SSHSIG');

/** @returns in words what would be signed; `undefined` when it is neither a login (RFC 4252, section 7) nor a signature of `ssh-keygen -Y` (PROTOCOL.sshsig) */
export function describeSignedData(data: Buffer): string | undefined {
  try {
    return data.subarray(0, sshsig.length).equals(sshsig) ? signature(new Fields(data.subarray(sshsig.length))) : login(new Fields(data));
  } catch {
    return undefined;
  }
}

function login(fields: Fields): string | undefined {
  fields.string(); // the session, a hash that says nothing to a person
  if (fields.byte() !== userauthRequest) return undefined;
  const user = fields.text();
  const service = fields.text();
  const method = fields.text();
  if (service !== 'ssh-connection' || !methods.includes(method) || fields.byte() !== 1) return undefined;
  fields.string();
  fields.string();
  if (method !== 'publickey') fields.string();
  return fields.isAtEnd ? `login as ${user}` : undefined;
}

function signature(fields: Fields): string | undefined {
  const namespace = fields.text();
  fields.string();
  const hash = fields.text();
  fields.string();
  return fields.isAtEnd && namespace !== '' ? `signature for ${namespace} (${hash})` : undefined;
}
