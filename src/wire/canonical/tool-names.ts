// Names of tools on their way to an upstream and back. Responses has namespaces and freeform (custom) tools; the other dialects have
// neither and allow fewer characters. Each (namespace, name) gets one wire name that every dialect accepts.
import { createHash } from 'node:crypto';
import type { ClientTool } from './response.ts';

const wireName = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;

export class ToolNames {
  readonly #byWire = new Map<string, ClientTool>();
  readonly #byClient = new Map<string, string>();

  /** The wire name of a client's tool; the same one each time. */
  add(tool: ClientTool): string {
    const key = JSON.stringify([tool.namespace ?? null, tool.name]);
    const known = this.#byClient.get(key);
    if (known !== undefined) return known;
    // `functions` is the namespace that Codex uses for tools without one.
    const plain = tool.namespace === undefined || tool.namespace === 'functions' ? tool.name : `${tool.namespace}__${tool.name}`;
    const wire = wireName.test(plain) && !this.#byWire.has(plain) ? plain : shortened(plain, key);
    this.#byWire.set(wire, tool);
    this.#byClient.set(key, wire);
    return wire;
  }

  /** The client's tool; a name that nobody offered is passed on as it is, for the client to reject. */
  clientTool(wire: string): ClientTool {
    return this.#byWire.get(wire) ?? { name: wire, isCustom: false };
  }
}

/** Of the tools, those that the client allows in this call. */
export function allowedOf<T extends { readonly name: string }>(
  tools: readonly T[],
  allowed: ReadonlySet<string> | undefined,
): readonly T[] {
  return allowed ? tools.filter(({ name }) => allowed.has(name)) : tools;
}

function shortened(name: string, key: string): string {
  const hash = createHash('sha256').update(key).digest('hex').slice(0, 8);
  return `${name
    .replace(/[^A-Za-z0-9_-]/g, '_')
    .replace(/^[^A-Za-z_]/, '_')
    .slice(0, 55)}_${hash}`;
}

/** A call id that every dialect accepts; equal ids stay equal. */
export function callId(id: string): string {
  return /^[A-Za-z0-9_-]{1,64}$/.test(id) ? id : `call_${createHash('sha256').update(id).digest('hex').slice(0, 32)}`;
}

/**
 * Call ids of one answer, each its own. Some servers count them anew in every answer (TGI calls each one `0`), and models that write
 * them themselves do so, too (`functions.read:0`); Claude Code takes two calls of one id for one, after which it never ends.
 */
export class CallIds {
  readonly #mark: string;
  readonly #used = new Set<string>();

  constructor(mark: string) {
    this.#mark = mark;
  }

  next(id: string): string {
    const isCounted = id.length < 9 || /^call_[0-9a-f]{32}$/.test(id);
    const own = isCounted ? `${id}_${this.#mark}` : id;
    const unique = this.#used.has(own) ? `${own}_${this.#used.size}` : own;
    this.#used.add(unique);
    return unique;
  }
}

/** A freeform tool as a function: its text is the one argument. */
export const customSchema = {
  type: 'object',
  properties: { input: { type: 'string', description: 'The whole input of the tool, as raw text.' } },
  required: ['input'],
} as const;

/** A grammar cannot be enforced where there are only functions, but the model can read it. */
export function customDescription(description: string | undefined, grammar: string | undefined): string {
  return [description, grammar && `The input follows this grammar:\n${grammar}`].filter(Boolean).join('\n\n');
}

export function customInput(text: string): string {
  return JSON.stringify({ input: text });
}

/** The text of a freeform call out of the arguments of its function. */
export function customText(input: string): string {
  try {
    const parsed: unknown = JSON.parse(input);
    if (typeof parsed === 'string') return parsed;
    if (typeof parsed === 'object' && parsed !== null && 'input' in parsed && typeof parsed.input === 'string') return parsed.input;
  } catch {
    // The model wrote the text itself instead of JSON; it is what the tool gets.
  }
  return input;
}
