// Ollama. It checks no key, knows no tool_choice and no image URLs, serves no count_tokens, and passes models whose tag ends in
// `cloud` on to its vendor: such a name is never inside, whatever address the server has.
import { bearer, service } from './service.ts';

export const ollama = service({
  id: 'ollama',
  name: 'Ollama',
  perimeter: 'onprem',
  urls: {
    'openai-chat': 'http://127.0.0.1:11434/v1',
    'openai-responses': 'http://127.0.0.1:11434/v1',
    'anthropic-messages': 'http://127.0.0.1:11434',
  },
  endpoints: ['ollama.com', 'www.ollama.com'].map((host) => ({ host, path: /^\/v1\/chat\/completions$/, dialect: 'openai-chat' as const })),
  authorize: bearer,
});

/** Does this name make an Ollama server hand the prompt to its vendor? Names are compared as Ollama does, without letter case. */
export function leavesThroughOllama(model: string): boolean {
  const name = model
    .trim()
    .toLowerCase()
    .replace(/@sha256:[0-9a-f]*$/, '');
  const last = name.slice(name.lastIndexOf('/') + 1);
  return last.includes(':') && last.endsWith('cloud');
}
