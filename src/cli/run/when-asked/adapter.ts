// The adapters, for a program that is an agent, and for keys that any program is handed by name.
import { adapters, type Credential, type UserView } from '../../../agents/index.ts';

export { adapterFor } from '../../../agents/index.ts';

/** The keys of known vendors among these variables, whoever the program is: each key once. */
export function credentialsAmong(names: readonly string[], env: UserView['env']): Credential[] {
  const named = { env: Object.fromEntries(names.map((name) => [name, env[name]])), readHome: () => undefined };
  const found = adapters.flatMap((adapter) => adapter.credentials(named));
  return [...new Map(found.map((credential) => [credential.value, credential])).values()];
}
