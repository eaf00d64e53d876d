// Repositories that a session in direct mode makes, under any name and over several sessions: what git of the host would run of them is taken
// out of force and reported.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { doctor } from './doctor.ts';
import { launch } from './launch.ts';
import type { LaunchPlan } from './plan.ts';
import { boxIn, closeAll } from './testdata/box.ts';

const { mode: enforcement, layers } = await doctor();
const why = layers.find(({ ok }) => !ok)?.reason ?? '';

const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-direct-')));
afterAll(() => {
  spawnSync('chmod', ['-R', 'u+rwX', scratch]);
  fs.rmSync(scratch, { recursive: true, force: true });
});

let sessions = 0;

function planOf(script: string, changes: Partial<LaunchPlan> = {}): LaunchPlan {
  return boxIn(path.join(scratch, 'sessions', String(sessions++)), {
    argv: ['/bin/sh', '-c', script],
    ports: [443],
    cacheDir: path.join(scratch, 'cache'),
    ...changes,
  });
}

async function run(script: string, changes: Partial<LaunchPlan> = {}) {
  const plan = planOf(script, changes);
  const launched = await launch(plan, { listening: closeAll });
  return { plan, exit: await launched.exited, launched, file: (name: string) => fs.readFileSync(path.join(plan.workspace, name), 'utf8') };
}

describe.skipIf(enforcement === 'none')(`repositories made in direct mode${enforcement === 'none' ? `, skipped: ${why}` : ''}`, () => {
  let changes: Awaited<ReturnType<Awaited<ReturnType<typeof launch>>['changes']>>;
  let workspace = '';

  beforeAll(async () => {
    const done = await run(
      `mkdir -p made/.git/hooks made/.git/objects plain/.git/hooks;
       echo ref > made/.git/HEAD; echo ref > plain/.git/HEAD; echo evil > made/.git/hooks/post-checkout; echo x > plain/.git/hooks/x.sample
       printf '[core]\\n\\tfsmonitor = evil\\n' > made/.git/config; printf '[core]\\n\\tbare = false\\n' > plain/.git/config
       echo 'gitdir: made/.git' > gitfile; mkdir sub; mv gitfile sub/.git; echo '{}' > package.json; echo text > notes.txt`,
    );
    changes = await done.launched.changes();
    workspace = done.plan.workspace;
  });

  it('are taken out of force when they would run something, and reported', () => {
    expect(changes.disarmed).toEqual([
      'made/.git/hooks.disarmed-by-intramur',
      'made/.git/config.disarmed-by-intramur',
      'sub/.git.disarmed-by-intramur',
    ]);
    expect(fs.existsSync(path.join(workspace, 'plain/.git/config'))).toBe(true);
    expect(fs.existsSync(path.join(workspace, 'made/.git/config'))).toBe(false);
  });

  it('leave files of every day in place, listed as sensitive', () => {
    expect(changes.sensitive).toContain('package.json');
    expect(changes.sensitive).not.toContain('notes.txt');
    expect(fs.existsSync(path.join(workspace, 'package.json'))).toBe(true);
  });

  describe('under any name', () => {
    const repository = (at: string): string => `mkdir -p ${at}/objects ${at}/refs ${at}/hooks; echo 'ref: refs/heads/main' > ${at}/HEAD`;
    const hook = (at: string): string => `printf '#!/bin/sh\\n' > ${at}/hooks/post-receive; chmod +x ${at}/hooks/post-receive`;
    const steering = "printf '[core]\\n\\tbare = false\\n\\tworktree = ..\\n\\tfsmonitor = evil\\n'";
    const off = '.disarmed-by-intramur';
    it.each<[string, string, string[]]>([
      ['a bare one', `git init -q --bare b.git; ${hook('b.git')}`, [`b.git/hooks${off}`]],
      ['one with a work tree elsewhere', `${repository('c.git')}; ${steering} > c.git/config`, [`c.git/config${off}`]],
      ['the workspace itself', `${repository('.')}; ${hook('.')}`, [`hooks${off}`]],
      [
        'one in the hooks of another',
        `${repository('a/hooks')}; ${repository('a')}; ${hook('a/hooks')}`,
        [`a/hooks/hooks${off}`, `a/hooks${off}`],
      ],
      ['one that takes another place', `${repository('x')}; mv x y; ${hook('y')}`, [`y/hooks${off}`]],
      [
        'one that has the rest in another directory',
        `mkdir -p r s/objects s/refs; echo ref > r/HEAD; echo ../s > r/commondir; ${steering} > s/config`,
        [`r/commondir${off}`],
      ],
      [
        'one that has the rest above it',
        `mkdir -p s/worktrees/r s/objects s/refs; echo ref > s/worktrees/r/HEAD; echo ../.. > s/worktrees/r/commondir; ${steering} > s/config`,
        [`s/worktrees/r/commondir${off}`],
      ],
      [
        'one behind a file',
        `${repository('store')}; ${hook('store')}; mkdir w; echo 'gitdir: ../store' > w/.git`,
        [`store/hooks${off}`, `w/.git${off}`],
      ],
      ['one that is closed', `${repository('z')}; ${hook('z')}; chmod 311 z`, [`z/hooks${off}`]],
      ['one with the new name taken', `${repository('n')}; ${hook('n')}; mkdir -p n/hooks${off}/x`, [`n/hooks${off}-2`]],
      [
        'one whose way to the rest ends in a blank that is none for git',
        `mkdir -p s/worktrees/r s/objects s/refs; echo ref > s/HEAD; cp s/HEAD s/worktrees/r; printf '../..\\302\\240\\n' > s/worktrees/r/commondir`,
        [`s/worktrees/r/commondir${off}`],
      ],
      [
        'one whose way to the rest leads to what is none',
        'mkdir -p s/worktrees/r s/objects; echo ref > s/HEAD; cp s/HEAD s/worktrees/r; echo ../.. > s/worktrees/r/commondir',
        [`s/worktrees/r/commondir${off}`],
      ],
      [
        'one with a setting behind a blank that is none for git',
        `${repository('u')}; printf '[core]\\n\\302\\240bare = false\\n' > u/config`,
        [`u/config${off}`],
      ],
      ['one whose hooks are a link', `${repository('l')}; rmdir l/hooks; mkdir empty; ln -s ../empty l/hooks`, [`l/hooks${off}`]],
      [
        'one in the middle of something',
        `git init -q t; mkdir t/.git/rebase-merge; echo 'exec evil' > t/.git/rebase-merge/git-rebase-todo; git init -q --bare m; mkdir m/sequencer`,
        [`t/.git/rebase-merge${off}`, `m/sequencer${off}`],
      ],
      [
        'an honest worktree',
        'git init -q --bare h; mkdir -p h/worktrees/w; cp h/HEAD h/worktrees/w; echo ../.. > h/worktrees/w/commondir',
        [],
      ],
      ['an honest one', 'git init -q --bare honest; git init -q tree; mkdir -p src/hooks src/objects src/refs; echo x > src/hooks/x', []],
    ])('%s', async (_name, script, expected) => {
      const { launched } = await run(script);
      expect((await launched.changes()).disarmed).toEqual(expected);
    });

    it('stay as they were when they were there before, with what is new in them looked at', async () => {
      const plan = planOf(
        `echo evil > there/hooks/post-receive; echo evil >> there/config; mv there/hooks there/h
         ${steering} > there/config.worktree; echo ../evil > there/commondir; echo ../evil > .git/commondir
         ${repository('.git/modules/new')}; ${hook('.git/modules/new')}; true`,
      );
      const before = `${repository('there')}; ${hook('there')}; echo '[core]' > there/config; ${repository('.git')}; ${hook('.git')}; rm -r .git/refs`;
      spawnSync('/bin/sh', ['-ec', before], { cwd: plan.workspace });
      const launched = await launch(plan, { listening: closeAll });
      await launched.exited;
      expect([...(await launched.changes()).disarmed].sort()).toEqual(
        ['.git/commondir', '.git/modules/new/hooks', 'there/commondir', 'there/config.worktree'].map((name) => `${name}${off}`),
      );
      const text = (name: string): string => fs.readFileSync(path.join(plan.workspace, name), 'utf8');
      expect([text('there/config'), text('there/hooks/post-receive'), text('.git/hooks/post-receive')]).toEqual([
        '[core]\n',
        '#!/bin/sh\n',
        '#!/bin/sh\n',
      ]);
    });

    it('in the middle of something new are stopped, and what was under way is left there with its changes named', async () => {
      const plan = planOf(
        `for at in .git .git/worktrees/w .git/modules/m; do mkdir -p $at/rebase-apply; echo 'exec evil' > $at/rebase-apply/x; done
         echo 'exec evil' >> .git/rebase-merge/git-rebase-todo`,
      );
      const before = `git init -q .; mkdir -p .git/worktrees/w .git/rebase-merge; echo pick > .git/rebase-merge/git-rebase-todo
        cp .git/HEAD .git/worktrees/w; echo ../.. > .git/worktrees/w/commondir; git init -q --bare .git/modules/m`;
      spawnSync('/bin/sh', ['-ec', before], { cwd: plan.workspace });
      const launched = await launch(plan, { listening: closeAll });
      await launched.exited;
      const { disarmed, sensitive } = await launched.changes();
      expect([...disarmed].sort()).toEqual(['.git/modules/m', '.git', '.git/worktrees/w'].map((at) => `${at}/rebase-apply${off}`).sort());
      expect(sensitive).toContain('.git/rebase-merge/git-rebase-todo');
    });

    it.each<[string, string, string, string[]]>([
      [
        'one whose branch is not yet born',
        `mkdir -p sub/.git/objects; ln -s refs/heads/master sub/.git/HEAD; ${steering} > sub/.git/config`,
        'mkdir -p sub/.git/refs/heads',
        [`sub/.git/config${off}`],
      ],
      [
        'one that is none yet',
        `mkdir -p sub/.git/objects; ${steering} > sub/.git/config`,
        'mkdir -p sub/.git/refs; echo ref > sub/.git/HEAD',
        [`sub/.git/config${off}`],
      ],
      [
        'one in a submodule, whose branch is not yet born',
        `git init -q sub; mkdir -p sub/.git/modules/m/objects; ln -s refs/heads/x sub/.git/modules/m/HEAD; ${steering} > sub/.git/modules/m/config`,
        'mkdir -p sub/.git/modules/m/refs/heads',
        [`sub/.git/modules/m/config${off}`],
      ],
      [
        'one that becomes a file',
        'mkdir -p sub/.git/objects',
        `mv sub/.git moved; echo 'gitdir: ../moved' > sub/.git; touch -d '2001-01-01' sub/.git`,
        [`sub/.git${off}`],
      ],
      ['one in a directory of any name', `mkdir -p fx/objects; ${steering} > fx/config`, `${repository('fx')}`, [`fx/config${off}`]],
    ])('are found where two sessions make them: %s', async (_name, first, second, expected) => {
      const one = await run(first);
      const { workspace: same, cwd } = one.plan;
      const early = (await one.launched.changes()).disarmed;
      const two = await run(second, { workspace: same, cwd });
      expect([...early, ...(await two.launched.changes()).disarmed]).toEqual(expected);
    });

    it('are listed as sensitive where what they run is left in place', async () => {
      const { launched } = await run('git init -q --bare b.git; rm b.git/hooks/*; touch b.git/hooks/x.sample');
      expect((await launched.changes()).sensitive).toEqual(['b.git/HEAD', 'b.git/config', 'b.git/hooks', 'b.git/hooks/x.sample']);
    });
  });
});
