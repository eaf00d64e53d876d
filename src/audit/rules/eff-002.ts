import { rule } from './rule.ts';

export const loosenedBelow = rule({
  id: 'EFF-002',
  severity: 'high',
  summary: 'A user or repository loosens what the organisation set, and no managed setting stops it',
  owasp: ['ASI03'],
  remedy: 'Put the lock into the managed settings (for Claude Code: permissions.disableBypassPermissionsMode = "disable")',
  *check({ docs, signals }) {
    for (const { doc, means, key, value, line } of signals) {
      if (doc.scope === 'managed' || !['bypass', 'any-command', 'sandbox-off'].includes(means)) continue;
      const managed = docs.filter((one) => one.agent.id === doc.agent.id && one.scope === 'managed' && one.fault === undefined);
      if (
        managed.length === 0 ||
        managed.some(({ text }) =>
          /disableBypassPermissionsMode|allowed_approval_policies|allowed_sandbox_modes|disableYoloMode|allowManagedPermissionRulesOnly/.test(
            text,
          ),
        )
      )
        continue;
      yield {
        doc,
        line,
        message: `${key} = ${value} stands against the managed settings in ${managed[0]?.path ?? ''}, which do not forbid it`,
      };
    }
  },
});
