// The catalogue: every agent, model server and gateway that the audit knows.
import { asianAgents } from './asian-agents.ts';
import { editorAgents } from './editor-agents.ts';
import { editorVendors } from './editor-vendors.ts';
import type { CatalogueEntry } from './entry.ts';
import { firstFive } from './first-five.ts';
import { modelServers } from './model-servers.ts';
import { terminalAgents } from './terminal-agents.ts';

export type { CatalogueEntry, CatalogueFile, Confidence, DialectId, Format, Meaning, Role, Scope, Switch } from './entry.ts';
export { checkedOn } from './entry.ts';

export const catalogue: readonly CatalogueEntry[] = [
  ...firstFive,
  ...editorAgents,
  ...editorVendors,
  ...terminalAgents,
  ...asianAgents,
  ...modelServers,
];
