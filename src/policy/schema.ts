// The Cedar schema of the namespace Intramur: who acts, what there is to do, and what a policy may ask about it. Written from
// the words of core, so that a label or class added there cannot be missing here. Cedar 4.5, human-readable schema syntax.
//
// Words with a fixed vocabulary are enumerated entities and never strings: Cedar does not check strings, so a rule about
// "onperm" would load and never apply.
import { classifications, dialects, egressClasses, labels, perimeters, purposes, vettings } from '../core/index.ts';

export const namespace = 'Intramur';

export const protocols = ['tcp', 'ssh', 'dns', 'udp', 'tls'] as const;
export const vias = ['sandbox', 'key'] as const;

/** Entity types whose entities are a fixed vocabulary. */
export const words = {
  Classification: classifications,
  Perimeter: perimeters,
  Purpose: purposes,
  Label: labels,
  Vetting: vettings,
  Dialect: dialects,
  Protocol: protocols,
  Via: vias,
} as const satisfies Record<string, readonly string[]>;

interface Action {
  readonly in: readonly string[];
  /** What a request with this action is about and carries, beside what every act carries; a group has none. */
  readonly about?: { readonly resource: string; readonly context?: string };
}

/** Each class of egress is a group; a request is a member of the group of its class and of the group of its kind. */
const egress: Readonly<Record<string, Action>> = Object.fromEntries(
  egressClasses.flatMap((name) => [
    [`egress.${name}`, { in: ['net'] }],
    [
      `http.request.${name}`,
      {
        in: ['http.request', `egress.${name}`],
        about: { resource: 'Host', context: 'method: String, path: String, tls: Bool, isRenewal: Bool, servesModels: Bool' },
      },
    ],
    [`net.connect.${name}`, { in: ['net.connect', `egress.${name}`], about: { resource: 'Host', context: 'protocol: Protocol' } }],
  ]),
);

const onFiles: Action = { in: ['fs'], about: { resource: 'Path' } };

export const actions: Readonly<Record<string, Action>> = {
  any: { in: [] },
  llm: { in: ['any'] },
  net: { in: ['any'] },
  fs: { in: ['any'] },
  process: { in: ['any'] },
  mcp: { in: ['any'] },
  secret: { in: ['any'] },
  'llm.invoke': { in: ['llm'], about: { resource: 'Model', context: 'dialect: Dialect, requestedModel: String' } },
  'http.request': { in: ['net'] },
  'net.connect': { in: ['net'] },
  ...egress,
  'fs.read': onFiles,
  'fs.list': onFiles,
  'fs.write': onFiles,
  'fs.delete': onFiles,
  'process.exec': { in: ['process'], about: { resource: 'Program', context: 'argv: String, verbs: Set<String>, cwd: String' } },
  'mcp.call': { in: ['mcp'], about: { resource: 'McpTool', context: 'argKeys: Set<String>' } },
  'tool.use': { in: ['any'], about: { resource: 'Tool' } },
  'secret.use': { in: ['secret'], about: { resource: 'Secret' } },
};

/** What every act carries. `dataRank`: the highest class that the payload holds or the session has read, as a number. */
const common =
  'purpose: Purpose, session: String, now: datetime, labels: Set<Label>, classification: Classification, dataRank: Long, approved?: Approval';

const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');

function declaration(name: string, { in: groups, about }: Action): string {
  const applies =
    about &&
    ` appliesTo { principal: [Agent], resource: [${about.resource}], context: { ${[common, about.context].filter(Boolean).join(', ')} } }`;
  return `action "${name}"${groups.length > 0 ? ` in [${quoted(groups)}]` : ''}${applies ?? ''}`;
}

function listed<T>(all: Readonly<Record<string, T>>, line: (name: string, value: T) => string): string {
  return Object.entries(all)
    .map(([name, value]) => `  ${line(name, value)};`)
    .join('\n');
}

export const schema = `namespace ${namespace} {
${listed(words, (name, values) => `entity ${name} enum [${quoted(values)}]`)}

  entity Team;
  entity User in [Team];
  entity AgentTool;
  entity Agent in [User, Team, AgentTool] { user: User, tool: AgentTool, version?: String, vetting: Vetting, vetted: Bool, via: Via };

  entity Provider;
  entity Model in [Provider] { name: String, provider: Provider, dialect: Dialect, perimeter: Perimeter, perimeterRank: Long, vetted: Bool };
  entity Zone;
  entity Host in [Zone] { name: String, port: Long, ip?: ipaddr, isDirect: Bool, isGranted: Bool };

  type Approval = { by: User, at: datetime, ticket?: String };

  entity Repo { classification: Classification, rank: Long };
  entity Path in [Repo, Path] { path: String, name: String, insideWorkspace: Bool, labels: Set<Label> };
  entity Program in [Program] { name: String, path?: String, sha256?: String };
  entity McpServer in [Zone] { name: String, transport: String, pinned: Bool };
  entity McpTool in [McpServer] { name: String, server: McpServer };
  entity Tool { name: String };
  entity Secret { name: String, isGranted: Bool };

${listed(actions, declaration)}
}
`;

/** Acts that an enforcement point asks about today. The others wait for theirs: `policy check` says so of a policy about them. */
export function isAsked(action: string): boolean {
  const whole = ['llm.invoke', 'process.exec', 'secret.use'];
  return whole.includes(action) || action.startsWith('http.request.') || action.startsWith('net.connect.');
}
