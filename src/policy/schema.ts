// The Cedar schema of the namespace Intramur: who acts, what there is to do, and what a policy may ask about it. Written from
// the words of core, so that a label or class added there cannot be missing here. Cedar 4.5, human-readable schema syntax.
//
// Words with a fixed vocabulary are enumerated entities and never strings: Cedar does not check strings, so a rule about
// "onperm" would load and never apply.
import { classifications, dialects, egressClasses, labels, perimeters, purposes, vettings } from '../core/index.ts';

export const namespace = 'Intramur';

const oneOf = (words: readonly string[]) => `enum [${words.map((word) => `"${word}"`).join(', ')}]`;

/** What every act carries. `dataRank`: the highest class that the payload holds or the session has read, as a number. */
const common =
  'purpose: Purpose, session: String, now: datetime, labels: Set<Label>, classification: Classification, dataRank: Long, approved?: Approval';

/** Each class of egress is a group; a request is a member of the group of its class and of the group of its kind. */
const egress = egressClasses
  .map(
    (name) => `
  action "egress.${name}" in [net];
  action "http.request.${name}" in ["http.request", "egress.${name}"] appliesTo { principal: [Agent], resource: [Host], context: { ${common}, method: String, path: String, tls: Bool, isRenewal: Bool } };
  action "net.connect.${name}" in ["net.connect", "egress.${name}"] appliesTo { principal: [Agent], resource: [Host], context: { ${common}, protocol: Protocol } };`,
  )
  .join('');

export const protocols = ['tcp', 'ssh', 'dns', 'udp', 'tls'] as const;
export const vias = ['sandbox', 'key'] as const;

export const schema = `namespace ${namespace} {
  entity Classification ${oneOf(classifications)};
  entity Perimeter ${oneOf(perimeters)};
  entity Purpose ${oneOf(purposes)};
  entity Label ${oneOf(labels)};
  entity Vetting ${oneOf(vettings)};
  entity Dialect ${oneOf(dialects)};
  entity Protocol ${oneOf(protocols)};
  entity Via ${oneOf(vias)};

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

  action any;
  action llm, net, fs, process, mcp, secret in [any];
  action "llm.invoke" in [llm] appliesTo { principal: [Agent], resource: [Model], context: { ${common}, dialect: Dialect, requestedModel: String } };
  action "http.request", "net.connect" in [net];${egress}

  action "fs.read", "fs.list", "fs.write", "fs.delete" in [fs] appliesTo { principal: [Agent], resource: [Path], context: { ${common} } };
  action "process.exec" in [process] appliesTo { principal: [Agent], resource: [Program], context: { ${common}, argv: String, verbs: Set<String>, cwd: String } };
  action "mcp.call" in [mcp] appliesTo { principal: [Agent], resource: [McpTool], context: { ${common}, argKeys: Set<String> } };
  action "tool.use" in [any] appliesTo { principal: [Agent], resource: [Tool], context: { ${common} } };
  action "secret.use" in [secret] appliesTo { principal: [Agent], resource: [Secret], context: { ${common} } };
}
`;

/** Acts that an enforcement point asks about today. The others wait for theirs: `policy check` says so of a policy about them. */
export function isAsked(action: string): boolean {
  const whole = ['llm.invoke', 'process.exec', 'secret.use'];
  return whole.includes(action) || action.startsWith('http.request.') || action.startsWith('net.connect.');
}
