// Who serves, by the names of the OpenTelemetry conventions (`gen_ai.provider.name`) where they have one.
import type { Config } from '../../config/index.ts';
import { serviceAt } from '../../providers/index.ts';

const wellKnown: Readonly<Record<string, string | undefined>> = {
  google: 'gcp.gemini',
  vertex: 'gcp.vertex_ai',
  bedrock: 'aws.bedrock',
  'azure-openai': 'azure.ai.openai',
};

/** From a provider's id; a server of somebody's own goes by that id. */
export function providerNames({ providers }: Pick<Config, 'providers'>): (id: string) => string {
  const names = new Map(
    providers.map(({ id, url }): [string, string] => {
      const { id: service } = serviceAt(new URL(url));
      return [id, wellKnown[service] ?? (service === 'generic' || service === 'compatible' ? id : service)];
    }),
  );
  return (id) => names.get(id) ?? id;
}
