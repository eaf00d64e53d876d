// What the rehearsal model answers to a request: the script's turn, or a plain answer to a side call (titles, summaries).
import type { ModelRequest, Script, Turn } from './script.ts';
import { type ToolCall, toolFor } from './tool-table.ts';

/** The name that every answer carries, so that nobody takes the rehearsal for a model. */
export const rehearsalModel = 'rehearsal';

export interface Reply {
  /** Unique within one upstream. */
  readonly id: string;
  readonly thinking?: string;
  readonly text?: string;
  readonly calls: readonly (ToolCall & { readonly id: string })[];
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export function turnFor(script: Script, request: ModelRequest): Turn {
  if (typeof script === 'function') return script(request);
  return script[Math.min(request.turn, script.length - 1)] ?? script[0];
}

export function replyFor(turn: Turn, request: ModelRequest, id: string): Reply {
  const inputTokens = Math.ceil(request.text.length / 4);
  if (request.answerSchema !== undefined)
    return { id, text: JSON.stringify(instanceOf(request.answerSchema)), calls: [], inputTokens, outputTokens: 8 };

  const calls = (turn.acts ?? []).flatMap((act, n) => {
    const call = toolFor(act, request);
    return call ? [{ ...call, id: `call_${id}_${n}` }] : [];
  });
  const text = turn.text ?? (calls.length > 0 ? undefined : request.tools.length > 0 && turn.acts ? 'No tool for this step.' : 'Rehearsal');
  const outputTokens = Math.ceil(JSON.stringify([turn.thinking, text, calls]).length / 4);
  return {
    id,
    ...(turn.thinking !== undefined && { thinking: turn.thinking }),
    ...(text !== undefined && { text }),
    calls,
    inputTokens,
    outputTokens,
  };
}

/** A small value that fits a JSON schema: agents ask for titles and the like in this form. */
function instanceOf(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) return 'Rehearsal';
  const { type, properties, items, enum: values } = schema as Record<string, unknown>;
  if (Array.isArray(values)) return values[0];
  switch (String(type).toLowerCase()) {
    case 'object':
      return Object.fromEntries(Object.entries(properties ?? {}).map(([key, inner]) => [key, instanceOf(inner)]));
    case 'array':
      return items === undefined ? [] : [instanceOf(items)];
    case 'boolean':
      return false;
    case 'number':
    case 'integer':
      return 0;
    default:
      return 'Rehearsal';
  }
}
