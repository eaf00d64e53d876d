// Sampling, thinking and effort as Anthropic Messages takes them, which depends on the model.
import { type CanonicalRequest, type Effort, effortFor, type Part, type Settings } from '../canonical/request.ts';
import type { JsonObject } from '../json.ts';
import { type ClaudeModel, claudeModel } from './claude-model.ts';

/** `max_tokens` is required; most models of today allow this much. */
export const defaultMaxTokens = 32_000;

/** Budgets for models that know no effort. */
const budgets: Readonly<Record<Effort, number>> = { minimal: 1024, low: 2048, medium: 8192, high: 16_384, xhigh: 24_576, max: 24_576 };

export interface WrittenSettings {
  readonly fields: JsonObject;
  readonly effort?: Effort;
  readonly dropped: readonly (keyof Settings)[];
}

export function writeSettings(request: CanonicalRequest): WrittenSettings {
  const { settings } = request;
  const model = claudeModel(request.model);
  const { thinking, effort } = writeReasoning(request, model);
  const sampling = thinking || !model.takesSampling ? {} : writeSampling(settings);
  const dropped: (keyof Settings)[] = [];
  if (isLost(settings.temperature, sampling.temperature)) dropped.push('temperature');
  if (isLost(settings.topP, sampling.top_p)) dropped.push('topP');
  if (settings.topK !== undefined && sampling.top_k === undefined) dropped.push('topK');
  if (settings.reasoning?.isEnabled && !thinking) dropped.push('reasoning');
  return { fields: { ...sampling, ...(thinking && { thinking }) }, ...(effort && { effort }), dropped };
}

/** One is what they have without being told. */
function isLost(asked = 1, sent = 1): boolean {
  return asked !== sent;
}

interface Sampling {
  readonly temperature?: number;
  readonly top_p?: number;
  readonly top_k?: number;
}

/** A temperature or a top_p: both at once are an error. The scale of temperatures ends at 1 here and at 2 elsewhere. */
function writeSampling({ temperature, topP, topK }: Settings): Sampling {
  const hasTopP = topP !== undefined && (temperature ?? 1) === 1;
  return {
    ...(hasTopP ? { top_p: topP } : temperature !== undefined && { temperature: Math.min(temperature, 1) }),
    ...(topK !== undefined && { top_k: topK }),
  };
}

/**
 * Thinking is asked for only where the server can accept it: not with a forced tool, and, other than in adaptive thinking of Claude, not
 * when the history holds calls whose thinking was another vendor's, since a turn with calls must begin with a signed thinking block.
 */
function writeReasoning({ settings, turns }: CanonicalRequest, model: ClaudeModel): { thinking?: JsonObject; effort?: Effort } {
  const { reasoning, toolChoice, maxTokens = defaultMaxTokens } = settings;
  if (!reasoning?.isEnabled || toolChoice?.mode === 'any' || toolChoice?.mode === 'tool') return {};
  const isUnsigned = turns.some(
    ({ role, parts }) => role === 'assistant' && parts.some((part) => part.kind === 'tool-call') && !parts.some(isOwnThinking),
  );
  if (isUnsigned && !model.takesUnsigned) return {};
  const asked = (reasoning.budgetTokens ?? -1) < 0 ? undefined : reasoning.budgetTokens;
  if (model.takesAdaptive && (!model.takesBudget || asked === undefined || isUnsigned)) {
    const thinking = { type: 'adaptive', ...(model.isSilent && { display: 'summarized' }) };
    const effort = effortFor(reasoning);
    return { thinking, ...(effort && { effort: inWordsOf(model, effort) }) };
  }
  const budget = Math.min(Math.max(1024, asked ?? budgets[reasoning.effort ?? 'medium']), maxTokens - 1);
  if (budget < 1024) return {};
  const thinking = { type: 'enabled', budget_tokens: budget };
  return { thinking, ...(model.takesAdaptive && reasoning.effort && { effort: inWordsOf(model, reasoning.effort) }) };
}

function inWordsOf(model: ClaudeModel, effort: Effort): Effort {
  if (effort === 'minimal') return 'low';
  return effort === 'xhigh' && !model.takesExtraHigh ? 'high' : effort;
}

export function isOwnThinking(part: Part): boolean {
  return part.kind === 'thinking' && part.signature?.dialect === 'anthropic-messages' && part.signature.value !== '';
}
