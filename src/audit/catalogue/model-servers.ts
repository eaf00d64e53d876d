// Programs beside the agents: model servers on the machine and gateways in front of agents.
import { type CatalogueEntry, entry, file, when } from './entry.ts';

export const modelServers: readonly CatalogueEntry[] = [
  entry({
    id: 'ollama',
    name: 'Ollama',
    kind: 'model-server',
    vendor: 'Ollama Inc.',
    jurisdiction: 'US',
    confidence: 'verified',
    detect: { bin: ['ollama'], process: ['ollama'], ports: [11434], dirs: ['.ollama'] },
    modelHosts: ['127.0.0.1:11434'],
  }),
  entry({
    id: 'lm-studio',
    name: 'LM Studio',
    kind: 'model-server',
    vendor: 'Element Labs',
    jurisdiction: 'US',
    confidence: 'docs',
    detect: { app: ['LM Studio.app'], bin: ['lms'], ports: [1234], dirs: ['.lmstudio', '.cache/lm-studio'] },
    files: [
      file('user', '~/.lmstudio/mcp.json', 'json', 'mcp', 'mcpServers'),
      file('user', '~/.cache/lm-studio/mcp.json', 'json', 'mcp', 'mcpServers'),
    ],
  }),
  entry({
    id: 'claude-code-router',
    name: 'claude-code-router',
    kind: 'gateway',
    vendor: 'musistudio',
    jurisdiction: 'CN',
    confidence: 'verified',
    detect: { npm: ['@musistudio/claude-code-router'], bin: ['ccr'], ports: [3456], dirs: ['.claude-code-router'] },
    files: [file('user', '~/.claude-code-router/config.json', 'json5')],
    switches: [
      when('HOST', ['0.0.0.0'], 'exposed-listener'),
      when('Providers/*/api_base_url', 'set', 'base-url'),
      when('CUSTOM_ROUTER_PATH', 'set', 'helper-command'),
      when('LOG', [true], 'prompts-logged'),
    ],
  }),
];
