import { describe, expect, it } from 'vitest';
import { conclude, gather } from './audit.ts';
import { probePlans } from './probe.ts';
import { lay, optionsFor, user } from './temporary-home.ts';

const workspace = `${user}/repo`;

function plansFor(agent: string, files: Readonly<Record<string, string>>) {
  using laid = lay(files);
  const facts = gather(optionsFor(laid.root));
  const entry = facts.agents.find((found) => found.entry.id === agent)?.entry;
  if (entry === undefined) throw new Error(`${agent} was not found`);
  return { facts, ...probePlans(facts, entry, workspace) };
}
const claude = (permissions: object) => ({ '~/.claude/settings.json': JSON.stringify({ permissions }) });

describe('acts that are asked for', () => {
  it.each<[string, object | undefined, string[]]>([
    ['Bash(rm:*)', { do: 'shell', command: 'rm x' }, []],
    ['Bash(npm run test)', { do: 'shell', command: 'npm run test' }, []],
    ['Bash', { do: 'shell', command: 'intramur-canary x' }, []],
    ['Bash(rm -rf $HOME; echo)', undefined, ['its pattern names no plain command']],
    ['Bash(/bin/rm:*)', undefined, ['its pattern names no plain command']],
    ['Edit(locked/**)', { do: 'write', path: `${workspace}/locked/intramur-canary` }, []],
    ['Edit(~/.bashrc)', undefined, ['its pattern names no file in the workspace']],
    ['Edit(../other/**)', undefined, ['its pattern names no file in the workspace']],
    ['Read(//etc/shadow)', undefined, ['its pattern names no file in the workspace or the home']],
    ['Glob(secrets/**)', undefined, ['a listing leaves no trace that could be told apart']],
    ['WebFetch(domain:x.example)', undefined, ['rules about the network are not tried']],
    ['mcp__a__b', undefined, ['rules about MCP servers are not tried']],
  ])('for %s', (rule, act, why) => {
    const { plans, unprobed } = plansFor('claude-code', claude({ deny: [rule] }));
    expect(plans.map((plan) => plan.act)).toEqual(act === undefined ? [] : [act]);
    expect(unprobed.map((one) => one.why)).toEqual(why);
  });

  it('a file that must not be read is tried by tool and by shell, inside workspace and home only', () => {
    const { plans } = plansFor('claude-code', claude({ deny: ['Read(~/.ssh/**)', 'Read(**/.env)'] }));
    expect(plans.map(({ act }) => (act.do === 'shell' ? act.command : `${act.do} ${act.path}`))).toEqual([
      `read ${user}/.ssh/intramur-canary`,
      `cat ${user}/.ssh/intramur-canary`,
      `read ${workspace}/.env`,
      `cat ${workspace}/.env`,
    ]);
  });

  it('rules of a file that the agent may drop because it does not parse are tried, allow rules are not', () => {
    const { plans } = plansFor('claude-code', {
      '~/.claude/settings.json': '{"permissions":{"deny":["Bash(rm:*)"],"allow":["Bash(ls)"],}}',
    });
    expect(plans.map(({ rule, line }) => [rule, line])).toEqual([['Bash(rm:*)', 1]]);
  });

  it('many rules are bounded, and what is left out is said', () => {
    const { plans, unprobed } = plansFor('claude-code', claude({ deny: Array.from({ length: 100 }, (_, i) => `Bash(tool${i}:*)`) }));
    expect([plans.length, unprobed.length]).toEqual([40, 60]);
  });
});

it('ENF-001: what happened although a rule forbids it, and nothing else', () => {
  const { facts, plans } = plansFor('claude-code', claude({ deny: ['Bash(rm:*)', 'Bash(mv:*)', 'Bash(cp:*)'] }));
  const outcomes = ['not-enforced', 'enforced', 'unknown'] as const;
  const results = plans.map((plan, i) => ({
    ...plan,
    version: '1',
    how: 'unattended' as const,
    outcome: outcomes[i] ?? 'unknown',
    evidence: 'it ran it',
  }));
  const found = conclude({ ...facts, probed: { results, unprobed: [], silent: [] } }, 0).findings.filter(({ id }) => id === 'ENF-001');
  expect(found.map(({ message, file, line }) => [message.includes('Bash(rm:*)'), file, line])).toEqual([
    [true, `${user}/.claude/settings.json`, 1],
  ]);
});
