import { situationFor } from '../effective.ts';
import { postureOf } from '../permissions/codex.ts';
import { rule } from './rule.ts';

export const noApprovalNoSandbox = rule({
  id: 'PERM-012',
  severity: 'critical',
  summary: 'Codex never asks and has no sandbox',
  owasp: ['ASI05'],
  remedy: 'Keep one of the two: approval_policy = "on-request", or sandbox_mode = "workspace-write"',
  *check(facts) {
    const seen = new Set<string>();
    for (const doc of facts.docs) {
      if (doc.agent.id !== 'codex' || !doc.path.endsWith('.toml') || doc.root === undefined) continue;
      const workspace = doc.workspace?.path ?? `${facts.homes[0] ?? '/root'}/any-directory`;
      const { approval, sandbox } = postureOf(situationFor(facts, doc.agent, workspace));
      if (
        approval.value !== 'never' ||
        sandbox.value !== 'danger-full-access' ||
        sandbox.source.file === null ||
        seen.has(sandbox.source.file)
      )
        continue;
      seen.add(sandbox.source.file);
      yield {
        agent: 'codex',
        file: sandbox.source.file,
        line: sandbox.source.line ?? undefined,
        isSample: doc.workspace?.isSample ?? false,
        message: 'approval_policy = never and sandbox_mode = danger-full-access: every command runs, unasked and unconfined',
      };
    }
    // A project's file is dangerous before anybody trusts the project.
    for (const doc of facts.docs) {
      if (doc.agent.id !== 'codex' || doc.scope !== 'project') continue;
      const own = facts.signals.filter((signal) => signal.doc === doc);
      const off = own.find(({ means }) => means === 'sandbox-off');
      if (off !== undefined && own.some(({ means }) => means === 'bypass') && !seen.has(doc.path))
        yield { doc, line: off.line, message: 'in force once the project is trusted: never asks, no sandbox' };
    }
  },
});
