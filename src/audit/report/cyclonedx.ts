// CycloneDX 1.6 as an inventory of agents (components) and of what they talk to (services), written against the published schema: the
// official library brings a validator and an XML writer along, which is more code than this whole file replaces.
import { createHash } from 'node:crypto';
import { product, version } from '../../core/index.ts';
import { catalogue } from '../catalogue/index.ts';
import { isInsideHost } from '../effective.ts';
import type { AuditReport } from './json.ts';

export function cyclonedxReport(report: AuditReport, now: number): unknown {
  const components = report.agents.map((agent, index) => ({
    type: 'application',
    'bom-ref': `agent-${index}-${agent.id}`,
    supplier: { name: agent.vendor },
    name: agent.name,
    ...(agent.version === null ? {} : { version: agent.version }),
    ...(agent.sha256 === null ? {} : { hashes: [{ alg: 'SHA-256', content: agent.sha256 }] }),
    properties: [
      property('id', agent.id),
      property('path', agent.path),
      property('jurisdiction', agent.jurisdiction),
      property('presence', agent.presence),
      property('status', agent.status),
    ],
  }));
  const servers = report.mcpServers.map((server, index) => ({
    'bom-ref': `mcp-${index}`,
    name: server.name,
    ...(server.url === null || !URL.canParse(server.url) ? {} : { endpoints: [server.url] }),
    'x-trust-boundary': server.url !== null && !isInsideHost(hostOf(server.url)),
    properties: [
      property('kind', 'mcp-server'),
      property('agent', server.agent),
      property('transport', server.transport),
      ...(server.command === null ? [] : [property('command', server.command)]),
      ...(server.pinned === null ? [] : [property('pinned', String(server.pinned))]),
      property('source', `${server.source.file}:${server.source.line}`),
    ],
  }));
  const models = [...new Set(report.agents.map(({ id }) => id))].flatMap((id) =>
    (catalogue.find((entry) => entry.id === id)?.modelHosts ?? []).map((host) => ({
      'bom-ref': `model-${id}-${host}`,
      name: `model service of ${id}`,
      endpoints: [`https://${host}`],
      'x-trust-boundary': !isInsideHost(host),
      properties: [property('kind', 'model-service'), property('agent', id)],
    })),
  );
  const dependencies = components.map((component, index) => {
    const id = report.agents[index]?.id;
    const on = [
      ...servers.filter((_server, at) => report.mcpServers[at]?.agent === id),
      ...models.filter((model) => model['bom-ref'].startsWith(`model-${id ?? ''}-`)),
    ];
    return { ref: component['bom-ref'], dependsOn: on.map((one) => one['bom-ref']) };
  });
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify([components, servers, models]))}`,
    version: 1,
    metadata: {
      timestamp: new Date(now).toISOString(),
      tools: { components: [{ type: 'application', name: product.name, version }] },
    },
    components,
    services: [...servers, ...models],
    dependencies,
  };
}

function property(name: string, value: string): { readonly name: string; readonly value: string } {
  return { name: `${product.name}:${name}`, value };
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : '';
}

/** The same inventory has the same serial number: RFC 9562 version 8 over its hash. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
