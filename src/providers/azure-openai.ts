// Azure OpenAI through its `/openai/v1` address (url: https://RESOURCE.openai.azure.com/openai/v1), where the deployment is the
// model name and no api-version is needed. A key goes as `api-key`, an Entra access token (a JWT) as Bearer.
import { bearer, openAiPaths, service } from './service.ts';

export const azureOpenai = service({
  id: 'azure-openai',
  name: 'Azure OpenAI',
  perimeter: 'vpc',
  urls: {},
  keyEnv: 'AZURE_OPENAI_API_KEY',
  endpoints: ['*.openai.azure.com', '*.services.ai.azure.com', '*.cognitiveservices.azure.com'].flatMap((host) => [
    ...openAiPaths(host, '/openai/v1'),
    { host, path: /^\/openai\/deployments\/[^/]+\/chat\/completions$/, dialect: 'openai-chat' as const },
  ]),
  authorize: (key, ...rest) => (/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(key) ? bearer(key, ...rest) : [['api-key', key]]),
});
