// What a repository brings for agents is looked at once; when it changes by a byte, the next start is refused and shows how.
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRig, type Outcome, type Rig } from './rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await createRig();
  put('.git/HEAD', 'ref: refs/heads/main\n');
  put('.mcp.json', '{\n  "mcpServers": { "notes": { "command": "node", "args": ["tools/server.mjs"] } }\n}\n');
  put('tools/server.mjs', 'export {};\n');
  put('src/main.ts', 'export {};\n');
  put('AGENTS.md', 'Run the tests.\n');
  put('.claude/commands/review.md', 'Review the change.\n');
  put('.claude/agents/tester.md', '---\nname: tester\n---\nTest it.\n');
  put('.claude/skills/deploy/SKILL.md', 'Deploy with deploy.sh\n');
  put('.claude/skills/deploy/deploy.sh', 'echo deploy\n');
  fs.writeFileSync(path.join(rig.workspace, '.claude/skills/deploy/tool.bin'), Buffer.from([0xff, 0x00, 0x80]));
});
afterEach(() => rig.close());

function put(name: string, text: string): void {
  const file = path.join(rig.workspace, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}
const start = (options: { cwd?: string } = {}): Promise<Outcome> =>
  rig.intramur(['run', '--mode', 'direct', '--', 'echo', 'started'], options);
const pin = (): Promise<Outcome> => rig.intramur(['audit', '--pin']);
const started = expect.objectContaining({ code: 0, stdout: 'started\n' }) as Outcome;

const pinned = [
  '.claude/agents/tester.md',
  '.claude/commands/review.md',
  '.claude/skills/deploy/SKILL.md',
  '.claude/skills/deploy/deploy.sh',
  '.claude/skills/deploy/tool.bin',
  '.mcp.json',
  'AGENTS.md',
  'tools/server.mjs',
];

describe('audit --pin', () => {
  it('lists what it pinned, says so in the ledger, and leaves no trace in the repository', async () => {
    const before = fs.readdirSync(rig.workspace, { recursive: true });
    const { code, stdout } = await pin();
    expect([code, stdout.replaceAll(/\b[0-9a-f]{12}\b/g, 'HASH').replaceAll(/entry \d+/g, 'entry N')]).toEqual([
      0,
      `pinned what ${rig.workspace} brings for agents; ledger entry N\n${pinned.map((name) => `  HASH  ${name}\n`).join('')}`,
    ]);
    expect(fs.readdirSync(rig.workspace, { recursive: true })).toEqual(before);
    expect((await rig.intramur(['ledger', 'export', '--format', 'jsonl'])).stdout).toContain('"action":"workspace.pin"');
    expect(await start()).toEqual(started);
    put('src/main.ts', 'export const changed = 1;\n');
    expect(await start()).toEqual(started);
  });

  it.each<[string, () => void, RegExp]>([
    [
      'settings that changed',
      () => put('.mcp.json', '{\n  "mcpServers": {}\n}\n'),
      /changed \.mcp\.json\n[\s\S]*^-.*"notes"[\s\S]*^\+.*"mcpServers": \{\}/m,
    ],
    ['one byte of the program of a server', () => put('tools/server.mjs', 'export { };\n'), /changed tools\/server\.mjs\n/],
    [
      'settings that are new',
      () => put('.claude/settings.json', '{"hooks":{}}\n'),
      /added \.claude\/settings\.json\n[\s\S]*^\+\{"hooks":\{\}\}/m,
    ],
    ['settings deep down that are new', () => put('packages/a/.cursor/mcp.json', '{}\n'), /added packages\/a\/\.cursor\/mcp\.json/],
    [
      'an instruction file',
      () => put('AGENTS.md', 'Run the tests; then send them.\n'),
      /changed AGENTS\.md\n[\s\S]*^\+Run the tests; then/m,
    ],
    ['instructions deep down that are new', () => put('src/CLAUDE.md', 'Be quick.\n'), /added src\/CLAUDE\.md\n/],
    ['a command', () => put('.claude/commands/review.md', 'Approve it.\n'), /changed \.claude\/commands\/review\.md\n/],
    ['a subagent', () => put('.claude/agents/tester.md', 'x\n'), /changed \.claude\/agents\/tester\.md\n/],
    ['a script of a skill', () => put('.claude/skills/deploy/deploy.sh', 'echo x\n'), /changed \.claude\/skills\/deploy\/deploy\.sh\n/],
    [
      'one byte of a program of a skill that is no text',
      () => fs.writeFileSync(path.join(rig.workspace, '.claude/skills/deploy/tool.bin'), Buffer.from([0xfe, 0x00, 0x80])),
      /changed \.claude\/skills\/deploy\/tool\.bin\n/,
    ],
    ['a skill that is new', () => put('.agents/skills/more/SKILL.md', 'x\n'), /added \.agents\/skills\/more\/SKILL\.md\n/],
    ['settings that are gone', () => fs.rmSync(path.join(rig.workspace, '.mcp.json')), /removed \.mcp\.json\n/],
  ])('%s: the next start is refused, shows it, and is on record; one step makes it right', async (_name, change, shown) => {
    await pin();
    change();
    const refused = await start();
    expect({ ...refused, stderr: refused.stderr }).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(shown) as string });
    expect(refused.stderr).toMatch(/is not what .* looked at on \d{4}-\d\d-\d\d/);
    expect(refused.stderr).toContain(`intramur audit --pin ${rig.workspace}`);
    expect((await rig.entries()).at(-1)).toMatchObject({
      action: 'session.open',
      decision: 'deny',
      reason: expect.stringContaining('looked at') as string,
    });
    expect(rig.upstream.received).toEqual([]);
    await pin();
    expect(await start()).toEqual(started);
  });

  it('what changed since is a finding of the audit, until it is pinned again', async () => {
    const found = async (...args: string[]) => {
      const { stdout } = await rig.intramur(['audit', '--json', ...args]);
      const { findings } = JSON.parse(stdout) as { findings: { id: string; file: string; message: string; severity: string }[] };
      return findings
        .filter(({ id }) => id === 'PROJ-008')
        .map(({ file, severity, message }) => [path.relative(rig.workspace, file), severity, message]);
    };
    expect(await found()).toEqual([]);
    await pin();
    expect(await found()).toEqual([]);
    put('.claude/commands/review.md', 'Approve it.\n');
    put('src/CLAUDE.md', 'Be quick.\n');
    fs.rmSync(path.join(rig.workspace, '.mcp.json'));
    const since = expect.stringMatching(/^(changed|added|removed) since .+ looked at it on \d{4}-\d\d-\d\d$/) as string;
    const names = ['.claude/commands/review.md', '.mcp.json', 'src/CLAUDE.md'].map((name) => [name, 'high', since]);
    expect((await found()).sort()).toEqual([...names, ['tools/server.mjs', 'high', since]]);
    expect((await found(rig.workspace)).length).toBe(4);
    expect(await rig.intramur(['audit', '--fail-on', 'high'])).toMatchObject({ code: 1 });
    await pin();
    expect(await found()).toEqual([]);
    for (const name of fs.readdirSync(path.join(rig.state, 'state', 'pins')))
      fs.writeFileSync(path.join(rig.state, 'state', 'pins', name), '{');
    expect(await found()).toEqual([['', 'high', expect.stringContaining('does not read') as string]]);
  });

  it('says the same as JSON', async () => {
    await pin();
    put('AGENTS.md', 'Be quick.\n');
    const { stdout } = await rig.intramur(['audit', '--pin', '--json']);
    expect(JSON.parse(stdout)).toEqual({
      schema: 'intramur/audit-pin/1',
      pins: [
        {
          workspace: rig.workspace,
          entry: expect.any(Number) as number,
          files: pinned.map((name) => ({ path: name, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string })),
          changes: [{ path: 'AGENTS.md', what: 'changed' }],
        },
      ],
    });
  });

  it('holds in every directory below, and names with escapes do not reach the terminal', async () => {
    await pin();
    put('.gemini/settings.json', '{"a":"\u001b]0;owned\u0007"}\n');
    const { code, stderr } = await start({ cwd: path.join(rig.workspace, 'src') });
    expect(code).toBe(1);
    expect(stderr).not.toMatch(/[\u0007\u001b]/);
  });

  it('a pin that does not read is no pin that is met; a home is no repository', async () => {
    await pin();
    const pins = path.join(rig.state, 'state', 'pins');
    for (const name of fs.readdirSync(pins)) fs.writeFileSync(path.join(pins, name), '{');
    expect(await start()).toMatchObject({ code: 2, stdout: '' });
    expect(await rig.intramur(['audit', '--pin', rig.home])).toMatchObject({ code: 2 });
  });
});
