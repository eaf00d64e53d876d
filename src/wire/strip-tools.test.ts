import { describe, expect, it } from 'vitest';
import type { Dialect } from '../core/index.ts';
import { stripServerTools } from './strip-tools.ts';

const strip = (dialect: Dialect, text: string): string => Buffer.from(stripServerTools(dialect, Buffer.from(text))).toString();

describe('stripServerTools', () => {
  it.each<[string, Dialect, string, string]>([
    [
      'Anthropic',
      'anthropic-messages',
      '{ "a":1.0, "tools" : [ {"type":"web_search_20250305","name":"web_search"},{"name":"Read","input_schema":{}} ],"z":"[\\"tools\\"]" }',
      '{ "a":1.0, "tools" : [{"name":"Read","input_schema":{}}],"z":"[\\"tools\\"]" }',
    ],
    [
      'Responses, in a namespace and handed in later',
      'openai-responses',
      '{"tools":[{"type":"namespace","tools":[{"type":"web_search"}]},{"type":"function","name":"f"}],"input":[{"type":"additional_tools","tools":[{"type":"web_search"},{"type":"custom","name":"x"}]}]}',
      '{"tools":[{"type":"function","name":"f"}],"input":[{"type":"additional_tools","tools":[{"type":"custom","name":"x"}]}]}',
    ],
    [
      'Gemini',
      'gemini',
      '{"tools":[{"googleSearch":{},"functionDeclarations":[]},{"codeExecution":{}}],"n":1e2}',
      '{"tools":[{"functionDeclarations":[]}],"n":1e2}',
    ],
    ['nothing else left', 'openai-chat', '{"model":"m","tools":[{"type":"web_search"}],"tool_choice":"auto"}', '{"model":"m"}'],
    [
      'nothing to take',
      'openai-chat',
      '{"tools":[ {"type":"function","function":{"name":"tools"}} ]}',
      '{"tools":[ {"type":"function","function":{"name":"tools"}} ]}',
    ],
    [
      "tools of the agent's own words",
      'anthropic-messages',
      '{"messages":[{"content":[{"type":"tool_use","input":{"tools":[{"type":"web_search"}]}}]}]}',
      '{"messages":[{"content":[{"type":"tool_use","input":{"tools":[{"type":"web_search"}]}}]}]}',
    ],
  ])('%s', (_name, dialect, before, after) => {
    expect(strip(dialect, before)).toBe(after);
  });
});
