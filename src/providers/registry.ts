// The services we know, and which of them a configured address belongs to.
import { anthropic } from './anthropic.ts';
import { azureOpenai } from './azure-openai.ts';
import { bedrock } from './bedrock.ts';
import { compatible } from './compatible.ts';
import { dashscope } from './dashscope.ts';
import { deepseek } from './deepseek.ts';
import { google } from './google.ts';
import { hostMatches } from './host.ts';
import { llamaCpp } from './llama-cpp.ts';
import { lmStudio } from './lm-studio.ts';
import { ollama } from './ollama.ts';
import { openai } from './openai.ts';
import { openrouter } from './openrouter.ts';
import { native, type Service, service } from './service.ts';
import { sglang } from './sglang.ts';
import { tgi } from './tgi.ts';
import { vertex } from './vertex.ts';
import { vllm } from './vllm.ts';

export const services: readonly Service[] = [
  anthropic,
  openai,
  google,
  bedrock,
  vertex,
  azureOpenai,
  vllm,
  sglang,
  llamaCpp,
  ollama,
  tgi,
  lmStudio,
  dashscope,
  deepseek,
  openrouter,
  compatible,
];

/** A server with an address of its own: the key goes where the dialect's vendor takes it. */
const generic = service({ id: 'generic', name: 'Model server', perimeter: 'onprem', urls: {}, endpoints: [], authorize: native });

/** The service behind a provider's url, by host name. An address that no service claims is a server of somebody's own. */
export function serviceAt(url: URL): Service {
  return services.find(({ endpoints }) => endpoints.some(({ host }) => hostMatches(host, url.hostname))) ?? generic;
}
