import { isInsideHost } from '../effective.ts';
import { rule } from './rule.ts';

export const publicModelForInternalCode = rule({
  id: 'NET-001',
  severity: 'high',
  summary: 'An agent sends internal code to a model outside',
  owasp: ['LLM02'],
  remedy: 'Route the agent through the gateway: `intramur run`, or its base-URL setting',
  *check({ walk, classify, agents, signals, docs }) {
    for (const workspace of walk.workspaces) {
      const classification = workspace.isSample ? undefined : classify(workspace.path);
      if (classification === undefined || classification === 'public') continue;
      for (const id of new Set(agents.map(({ entry }) => entry.id))) {
        const entry = agents.find((agent) => agent.entry.id === id)?.entry;
        if (
          entry === undefined ||
          entry.kind !== 'agent' ||
          !docs.some((doc) => doc.agent.id === id && doc.workspace?.path === workspace.path)
        )
          continue;
        const configured = signals
          .filter(
            ({ means, doc }) =>
              means === 'base-url' && doc.agent.id === id && (doc.workspace === undefined || doc.workspace.path === workspace.path),
          )
          .at(-1)?.value;
        const host = configured !== undefined && URL.canParse(configured) ? new URL(configured).hostname : entry.modelHosts?.[0];
        if (host !== undefined && !isInsideHost(host))
          yield {
            agent: id,
            file: workspace.path,
            message: `${entry.name} works on ${classification} code here and asks a model at ${host}`,
          };
      }
    }
  },
});
