// Hugging Face text-generation-inference. Its "Messages API" is OpenAI chat; the model name is `tgi` whatever it serves.
import { bearer, service } from './service.ts';

export const tgi = service({
  id: 'tgi',
  name: 'Text Generation Inference',
  perimeter: 'onprem',
  urls: { 'openai-chat': 'http://127.0.0.1:3000/v1' },
  endpoints: [],
  authorize: bearer,
});
