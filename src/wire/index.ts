// The door of wire: what model calls look like in the four dialects. Pure functions over bytes; nothing here opens a connection.

export { withoutCarriedSignatures } from './carried-signatures.ts';
export { estimateTokens } from './count-tokens.ts';
export { type Call, type Detected, detectCall, type StreamForm } from './detect.ts';
export { errorMessage, mapError } from './error-body.ts';
export { parseDocument, parseLenient } from './json.ts';
export { type JsonPath, type JsonString, jsonEscaped, jsonStrings, textOf } from './json-strings.ts';
export { modelList } from './model-list.ts';
export { type BodyCall, type ReadCall, readCall } from './read-call.ts';
export { keepAlive, type RefusalKind, refusal, streamError, type WireReply } from './refusal.ts';
export type { ServerTool } from './server-tools.ts';
export { type StreamWatcher, streamWatcher } from './stream-watcher.ts';
export { stripServerTools } from './strip-tools.ts';
export { type EventTexts, type TextDelta, textDeltasIn } from './text-deltas.ts';
export {
  type TranslatedRequest,
  type TranslateOptions,
  type Translation,
  translateRequest,
  translateResponse,
} from './translate.ts';
export { createStreamTranslator, type StreamTranslator } from './translate-stream.ts';
export { readWhole, type Usage } from './usage.ts';
export { withModel } from './with-model.ts';
