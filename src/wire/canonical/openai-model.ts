// What an OpenAI model takes, by its name (platform.openai.com, "Reasoning models"); both of its dialects ask. Azure's deployments may have
// any name and count as servers of somebody's own.
import { type Effort, effortFor, type Reasoning } from './request.ts';

export function isReasoningModel(model: string): boolean {
  return /^(?:o\d|gpt-[5-9])/.test(model);
}

/** The nearest word that the model knows: another one is an error. A budget is no reason to ask a local server to think. */
export function effortIn(model: string, reasoning: Reasoning): Effort | undefined {
  const effort = isReasoningModel(model) ? effortFor(reasoning) : reasoning.effort;
  switch (effort) {
    case 'minimal':
      return /^gpt-5(?:-mini|-nano)?(?:-\d{4}|$)/.test(model) ? effort : 'low';
    case 'xhigh':
    case 'max':
      return /^gpt-(?:5\.[2-9]|[6-9])|codex-max/.test(model) ? 'xhigh' : 'high';
    default:
      return effort;
  }
}
