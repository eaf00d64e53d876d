// The canonical form as a request of Gemini generateContent.
import { asReminder, inputObject, resultText } from '../canonical/parts.ts';
import type { CanonicalRequest, MediaPart, Part, Reasoning, Settings, Turn } from '../canonical/request.ts';
import type { Written } from '../canonical/written.ts';
import type { JsonObject } from '../json.ts';
import { noSignature } from './field.ts';

/** Budgets for models that know no levels; newer ones accept them too. */
const budgets = { minimal: 512, low: 1024, medium: 8192, high: 24_576, xhigh: 24_576, max: 24_576 } as const;

export function writeRequest(request: CanonicalRequest): Written {
  const { settings, tools } = request;
  const { reasoning, toolChoice, answer } = settings;
  const generationConfig: JsonObject = {
    ...(settings.maxTokens !== undefined && { maxOutputTokens: settings.maxTokens }),
    ...(settings.temperature !== undefined && { temperature: settings.temperature }),
    ...(settings.topP !== undefined && { topP: settings.topP }),
    ...(settings.topK !== undefined && { topK: settings.topK }),
    ...(settings.seed !== undefined && { seed: settings.seed }),
    ...(settings.frequencyPenalty !== undefined && { frequencyPenalty: settings.frequencyPenalty }),
    ...(settings.presencePenalty !== undefined && { presencePenalty: settings.presencePenalty }),
    ...(settings.stop && { stopSequences: settings.stop.slice(0, 5) }),
    ...(reasoning?.isEnabled && {
      thinkingConfig: { includeThoughts: true, ...(budgetOf(reasoning) !== undefined && { thinkingBudget: budgetOf(reasoning) }) },
    }),
    // Models of the small family can be told not to think; for the others a budget of nothing is an error.
    ...(reasoning?.isEnabled === false && request.model.includes('flash') && { thinkingConfig: { thinkingBudget: 0 } }),
    ...(answer && { responseMimeType: 'application/json' }),
    ...(answer?.kind === 'schema' && { responseJsonSchema: withoutMeta(answer.schema) }),
  };
  const hasTools = tools.length > 0;
  const body: JsonObject = {
    ...(request.system.length > 0 && { systemInstruction: { parts: request.system.map((text) => ({ text })) } }),
    contents: writeTurns(request.turns),
    ...(hasTools && {
      tools: [
        {
          functionDeclarations: tools.map(({ name, description, schema }) => ({
            name,
            ...(description && { description }),
            parametersJsonSchema: withoutMeta(schema),
          })),
        },
      ],
    }),
    ...(hasTools &&
      toolChoice && {
        toolConfig: {
          functionCallingConfig:
            toolChoice.mode === 'tool' ? { mode: 'ANY', allowedFunctionNames: [toolChoice.name] } : { mode: toolChoice.mode.toUpperCase() },
        },
      }),
    ...(Object.keys(generationConfig).length > 0 && { generationConfig }),
  };
  const dropped: (keyof Settings)[] = settings.parallelTools === false && hasTools ? ['parallelTools'] : [];
  if ((settings.verbosity ?? 'medium') !== 'medium') dropped.push('verbosity');
  if ((settings.stop?.length ?? 0) > 5) dropped.push('stop');
  return { body, dropped };
}

function budgetOf(reasoning: Reasoning): number | undefined {
  return reasoning.budgetTokens ?? (reasoning.effort && budgets[reasoning.effort]);
}

function withoutMeta({ $schema: _dialect, ...schema }: JsonObject): JsonObject {
  return schema;
}

function writeTurns(turns: readonly Turn[]): JsonObject[] {
  const names = new Map(
    turns.flatMap(({ parts }) => parts.flatMap((part) => (part.kind === 'tool-call' ? [[part.id, part.name] as const] : []))),
  );
  const contents: { role: string; parts: JsonObject[] }[] = [];
  for (const turn of turns) {
    const role = turn.role === 'assistant' ? 'model' : 'user';
    const parts = writeParts(turn.role === 'system' ? turn.parts.map(asReminder) : turn.parts, names);
    const last = contents.at(-1);
    if (parts.length === 0) continue;
    if (last?.role === role) last.parts.push(...parts);
    else contents.push({ role, parts });
  }
  // Results stand together, before anything that comes with them.
  const isResult = (part: JsonObject): boolean => part['functionResponse'] !== undefined;
  return contents.map(({ role, parts }) => ({ role, parts: [...parts.filter(isResult), ...parts.filter((part) => !isResult(part))] }));
}

/** A signature belongs to the part that follows its thinking; the first call of a turn must have one. */
function writeParts(parts: readonly Part[], names: ReadonlyMap<string, string>): JsonObject[] {
  let signature: string | undefined;
  let isFirstCall = true;
  return parts.flatMap((part): JsonObject[] => {
    const signed = signature === undefined ? {} : { thoughtSignature: signature };
    switch (part.kind) {
      case 'thinking':
        signature = part.signature?.dialect === 'gemini' ? part.signature.value : signature;
        return [];
      case 'text':
        if (part.text === '') return [];
        signature = undefined;
        return [{ text: part.text, ...signed }];
      case 'tool-call': {
        const needed = isFirstCall && signature === undefined ? { thoughtSignature: noSignature } : signed;
        signature = undefined;
        isFirstCall = false;
        return [{ functionCall: { id: part.id, name: part.name, args: inputObject(part.input) }, ...needed }];
      }
      case 'tool-result': {
        const response = part.isError ? { error: resultText({ ...part, isError: false }) } : { output: resultText(part) };
        const media = part.parts.flatMap((inner) => (inner.kind === 'text' ? [] : [writeMedia(inner)]));
        return [{ functionResponse: { id: part.id, name: names.get(part.id) ?? 'unknown', response } }, ...media];
      }
      default:
        return [writeMedia(part)];
    }
  });
}

function writeMedia({ source, kind }: MediaPart): JsonObject {
  if ('url' in source) return { fileData: { mimeType: kind === 'image' ? 'image/*' : 'application/pdf', fileUri: source.url } };
  return { inlineData: { mimeType: source.mediaType, data: source.base64 } };
}
