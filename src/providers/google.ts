// Gemini by API key. The same host also serves an OpenAI-compatible form, which takes the key as Bearer.
import { native, openAiPaths, service } from './service.ts';

const host = 'generativelanguage.googleapis.com';

export const google = service({
  id: 'google',
  name: 'Google Gemini',
  perimeter: 'public',
  urls: { gemini: `https://${host}`, 'openai-chat': `https://${host}/v1beta/openai` },
  keyEnv: 'GEMINI_API_KEY',
  endpoints: [
    { host, path: /^\/v1(?:alpha|beta)?\/models\/[^/]+:(?:generateContent|streamGenerateContent|countTokens)$/, dialect: 'gemini' },
    ...openAiPaths(host, '/v1beta/openai'),
  ],
  authorize: native,
});
