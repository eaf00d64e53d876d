// A model file for llama.cpp that nobody trained: one layer of random weights and a vocabulary of the 256 bytes. What it says is noise; it
// is loaded, asked and streamed as any model is, which is what a test of the wire needs.
// Format: GGUF version 3 (ggml, docs/gguf.md): header, key-values, tensor descriptions, then the aligned tensors, all little-endian.

const valueType = { uint32: 4, float32: 6, string: 8, array: 9, int32: 5 } as const;
const alignment = 32;
/** Of tokens (llama.cpp, `llama_token_type`). */
const tokenType = { normal: 1, unknown: 2, control: 3, byte: 6 } as const;

const [width, feedForward, context] = [64, 128, 32_768];

/**
 * How a conversation is written. The server makes a grammar of how tools are called in it, by which even noise gives a tool what it
 * declares; that a call begins at all is the model's, so where there are tools the last character is one that it answers with a call.
 */
const template = `{%- if tools -%}
<|im_start|>system
{% for tool in tools %}{{ tool | tojson }}
{% endfor %}<|im_end|>
{% endif -%}
{%- for message in messages -%}
<|im_start|>{{ message.role }}
{% if message.content %}{{ message.content }}{% endif %}
{%- for call in message.tool_calls or [] %}<tool_call>
{"name": {{ call.function.name | tojson }}, "arguments": {{ call.function.arguments | tojson }}}
</tool_call>{% endfor %}<|im_end|>
{% endfor -%}
{%- if add_generation_prompt %}<|im_start|>assistant{% if tools %}{{ '\\t' }}{% else %}{{ '\\n' }}{% endif %}{% endif %}`;
const call = '<tool_call>\n';
/** What is said after a token, whatever was said before: the embedding of the one and the output of the other are large in one dimension. */
const links = [
  { dimension: 7, from: '<0x09>', to: call },
  // `>` ends a call, and with it what is said.
  { dimension: 9, from: '<0x3E>', to: '</s>' },
] as const;
const strength = 8;

/** A whole file of about a quarter of a megabyte, the same for the same seed. */
export function tinyModel(seed = 1): Buffer {
  const vocabulary = tokens();
  const next = random(seed);
  const tensors = tensorsOf(vocabulary.length).map(({ name, shape, isNorm }) => {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    for (let i = 0; i < values.length; i++) values[i] = isNorm ? 1 : (next() - 0.5) / 4;
    for (const { dimension, from, to } of links) {
      const linked = { 'token_embd.weight': from, 'output.weight': to }[name];
      if (linked !== undefined) values[vocabulary.findIndex((token) => token.text === linked) * width + dimension] = strength;
    }
    return { name, shape, bytes: Buffer.from(values.buffer) };
  });
  const pairs = [
    pair('general.architecture', 'string', text('llama')),
    pair('general.name', 'string', text('noise')),
    pair('llama.context_length', 'uint32', u32(context)),
    pair('llama.embedding_length', 'uint32', u32(width)),
    pair('llama.block_count', 'uint32', u32(1)),
    pair('llama.feed_forward_length', 'uint32', u32(feedForward)),
    pair('llama.attention.head_count', 'uint32', u32(2)),
    pair('llama.attention.layer_norm_rms_epsilon', 'float32', f32(1e-5)),
    pair('llama.rope.dimension_count', 'uint32', u32(width / 2)),
    pair('tokenizer.ggml.model', 'string', text('llama')),
    pair(
      'tokenizer.ggml.tokens',
      'array',
      list(
        'string',
        vocabulary.map((token) => text(token.text)),
      ),
    ),
    pair(
      'tokenizer.ggml.scores',
      'array',
      list(
        'float32',
        vocabulary.map(() => f32(0)),
      ),
    ),
    pair(
      'tokenizer.ggml.token_type',
      'array',
      list(
        'int32',
        vocabulary.map(({ type }) => u32(type)),
      ),
    ),
    pair('tokenizer.chat_template', 'string', text(template)),
    pair('tokenizer.ggml.unknown_token_id', 'uint32', u32(0)),
    pair('tokenizer.ggml.bos_token_id', 'uint32', u32(1)),
    pair('tokenizer.ggml.eos_token_id', 'uint32', u32(2)),
  ];
  let offset = 0;
  const descriptions = tensors.map(({ name, shape, bytes }) => {
    const description = Buffer.concat([text(name), u32(shape.length), ...shape.map((size) => u64(size)), u32(0), u64(offset)]);
    offset += padded(bytes).length;
    return description;
  });
  const head = Buffer.concat([Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(pairs.length), ...pairs, ...descriptions]);
  return Buffer.concat([padded(head), ...tensors.map(({ bytes }) => padded(bytes))]);
}

function tokens(): { text: string; type: number }[] {
  const bytes = Array.from({ length: 256 }, (_, byte) => ({
    text: `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
    type: tokenType.byte,
  }));
  // U+2581 is how this kind of vocabulary writes a space.
  const letters = [...'\u2581abcdefghijklmnopqrstuvwxyz'].map((letter) => ({ text: letter, type: tokenType.normal }));
  return [
    { text: '<unk>', type: tokenType.unknown },
    { text: '<s>', type: tokenType.control },
    { text: '</s>', type: tokenType.control },
    ...bytes,
    ...letters,
    { text: call, type: tokenType.normal },
  ];
}

function tensorsOf(vocabulary: number): { name: string; shape: number[]; isNorm: boolean }[] {
  const norm = (name: string) => ({ name, shape: [width], isNorm: true });
  const matrix = (name: string, from: number, to: number) => ({ name, shape: [from, to], isNorm: false });
  return [
    matrix('token_embd.weight', width, vocabulary),
    norm('output_norm.weight'),
    matrix('output.weight', width, vocabulary),
    norm('blk.0.attn_norm.weight'),
    ...['q', 'k', 'v', 'output'].map((part) => matrix(`blk.0.attn_${part}.weight`, width, width)),
    norm('blk.0.ffn_norm.weight'),
    matrix('blk.0.ffn_gate.weight', width, feedForward),
    matrix('blk.0.ffn_up.weight', width, feedForward),
    matrix('blk.0.ffn_down.weight', feedForward, width),
  ];
}

/** Between 0 and 1 (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const pair = (key: string, type: keyof typeof valueType, value: Buffer): Buffer => Buffer.concat([text(key), u32(valueType[type]), value]);
const list = (type: keyof typeof valueType, items: readonly Buffer[]): Buffer =>
  Buffer.concat([u32(valueType[type]), u64(items.length), ...items]);
const text = (value: string): Buffer => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((alignment - (bytes.length % alignment)) % alignment)]);

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}
