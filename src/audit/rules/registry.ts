// Every rule of the audit, in the order of their ids.
import { unreadableConfiguration } from './cfg-001.ts';
import { secretsInReach } from './cred-001.ts';
import { environmentFileOpen } from './cred-002.ts';
import { environmentInherited } from './cred-003.ts';
import { credentialFileOpen } from './cred-004.ts';
import { longLivedKey } from './cred-005.ts';
import { productionInReach } from './cred-006.ts';
import { scopesConflict } from './eff-001.ts';
import { loosenedBelow } from './eff-002.ts';
import { notEnforced } from './enf-001.ts';
import { settingsWritableByOthers } from './fs-001.ts';
import { hookDownloads } from './hook-001.ts';
import { hookSendsOut } from './hook-002.ts';
import { hookScriptLoose } from './hook-003.ts';
import { hookUnquoted } from './hook-004.ts';
import { helperCommand } from './hook-005.ts';
import { hiddenInstallation } from './inv-001.ts';
import { unregisteredAgent } from './inv-002.ts';
import { forbiddenJurisdiction } from './jur-001.ts';
import { unpinnedServer } from './mcp-001.ts';
import { badPackage } from './mcp-002.ts';
import { secretInServer } from './mcp-003.ts';
import { plainHttp } from './mcp-004.ts';
import { approvedTools } from './mcp-005.ts';
import { allServersRun } from './mcp-006.ts';
import { shellServer } from './mcp-007.ts';
import { broadServer } from './mcp-008.ts';
import { toolPoisoning } from './mcp-009.ts';
import { toolListChanged } from './mcp-010.ts';
import { openListener } from './mcp-011.ts';
import { shadowedServer } from './mcp-012.ts';
import { cloudConnectors } from './mcp-013.ts';
import { lookAlike } from './mcp-014.ts';
import { publicModelForInternalCode } from './net-001.ts';
import { anyCommand } from './perm-001.ts';
import { interpreterPrefix } from './perm-002.ts';
import { unfencedPrefix } from './perm-003.ts';
import { writeOutside } from './perm-004.ts';
import { writesOwnRules } from './perm-005.ts';
import { rootEquivalent } from './perm-006.ts';
import { fetchesAnything } from './perm-007.ts';
import { denyWithGap } from './perm-008.ts';
import { deadRule } from './perm-009.ts';
import { bypassMode } from './perm-010.ts';
import { bypassAccepted } from './perm-011.ts';
import { noApprovalNoSandbox } from './perm-012.ts';
import { unattendedInScripts } from './perm-013.ts';
import { unattendedAlias } from './perm-014.ts';
import { staleGrant } from './perm-015.ts';
import { permissiveByOmission } from './perm-020.ts';
import { repositoryShipsSettings } from './proj-001.ts';
import { approvesOwnServers } from './proj-002.ts';
import { redirectsModelTraffic } from './proj-003.ts';
import { grantsItself } from './proj-004.ts';
import { overBroadTrust } from './proj-005.ts';
import { trustSwitchedOff } from './proj-006.ts';
import { settingsAreCode } from './proj-007.ts';
import { changedSincePinned } from './proj-008.ts';
import { runsOnOpen } from './proj-009.ts';
import { personalSettingsTracked } from './proj-010.ts';
import { remoteControl } from './rem-001.ts';
import type { Rule } from './rule.ts';
import { sandboxOff } from './sbx-001.ts';
import { sandboxFailsOpen } from './sbx-002.ts';
import { sandboxEscape } from './sbx-003.ts';
import { sandboxNetwork } from './sbx-004.ts';
import { privilegedSocket } from './sbx-005.ts';
import { knownHole } from './sbx-006.ts';
import { secretInSettings } from './sec-001.ts';
import { secretInTranscript } from './sec-002.ts';
import { hostileSkill } from './skl-001.ts';
import { skillGrants } from './skl-002.ts';
import { unpinnedMarketplace } from './skl-003.ts';
import { telemetryOn } from './tel-001.ts';
import { promptsLogged } from './tel-002.ts';
import { sessionUpload } from './tel-003.ts';
import { sharedAutomatically } from './tel-004.ts';
import { zeroWidth } from './txt-001.ts';
import { tagCharacters } from './txt-002.ts';
import { directionControls } from './txt-003.ts';
import { disguisedText } from './txt-004.ts';
import { orderedAgainstUser } from './txt-005.ts';
import { memoryWritable } from './txt-006.ts';
import { autoUpdate } from './upd-001.ts';
import { bundleBehaviour } from './vend-001.ts';

export const rules: readonly Rule[] = [
  unreadableConfiguration,
  secretsInReach,
  environmentFileOpen,
  environmentInherited,
  credentialFileOpen,
  longLivedKey,
  productionInReach,
  scopesConflict,
  loosenedBelow,
  notEnforced,
  settingsWritableByOthers,
  hookDownloads,
  hookSendsOut,
  hookScriptLoose,
  hookUnquoted,
  helperCommand,
  hiddenInstallation,
  unregisteredAgent,
  forbiddenJurisdiction,
  unpinnedServer,
  badPackage,
  secretInServer,
  plainHttp,
  approvedTools,
  allServersRun,
  shellServer,
  broadServer,
  toolPoisoning,
  toolListChanged,
  openListener,
  shadowedServer,
  cloudConnectors,
  lookAlike,
  publicModelForInternalCode,
  anyCommand,
  interpreterPrefix,
  unfencedPrefix,
  writeOutside,
  writesOwnRules,
  rootEquivalent,
  fetchesAnything,
  denyWithGap,
  deadRule,
  bypassMode,
  bypassAccepted,
  noApprovalNoSandbox,
  unattendedInScripts,
  unattendedAlias,
  staleGrant,
  permissiveByOmission,
  repositoryShipsSettings,
  approvesOwnServers,
  redirectsModelTraffic,
  grantsItself,
  overBroadTrust,
  trustSwitchedOff,
  settingsAreCode,
  changedSincePinned,
  runsOnOpen,
  personalSettingsTracked,
  remoteControl,
  sandboxOff,
  sandboxFailsOpen,
  sandboxEscape,
  sandboxNetwork,
  privilegedSocket,
  knownHole,
  secretInSettings,
  secretInTranscript,
  hostileSkill,
  skillGrants,
  unpinnedMarketplace,
  telemetryOn,
  promptsLogged,
  sessionUpload,
  sharedAutomatically,
  zeroWidth,
  tagCharacters,
  directionControls,
  disguisedText,
  orderedAgainstUser,
  memoryWritable,
  autoUpdate,
  bundleBehaviour,
];
