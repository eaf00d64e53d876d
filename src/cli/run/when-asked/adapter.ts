// The adapters, for a program that is an agent, and for keys that any program is handed by name.
import { adapters, type Credential, type UserView } from '../../../agents/index.ts';

export { adapterFor } from '../../../agents/index.ts';

/** The keys of known vendors, as the environment has them, that stand in these variables, whoever the program is: each key once. */
export function credentialsAmong(names: readonly string[], env: UserView['env']): Credential[] {
  const found = adapters.flatMap((adapter) => adapter.credentials({ env, readHome: () => undefined }));
  const inside = found.filter(({ value }) => names.some((name) => env[name]?.includes(value)));
  return [...new Map(inside.map((credential) => [credential.value, credential])).values()];
}
