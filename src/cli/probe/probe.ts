// `audit --probe`: asks each agent that is installed, boxed and by a rehearsal model, for what its rules forbid, and reports what really
// happened. The agents run; nothing of theirs leaves this machine, and no file of the user is changed.
import fs from 'node:fs';
import path from 'node:path';
import { type Facts, type Probed, type ProbePlan, type ProbeResult, probePlans, type Unprobed } from '../../audit/index.ts';
import { codeOf, IntramurError, type Places } from '../../core/index.ts';
import { type ResolvedProgram, resolveProgram } from '../../sandbox/index.ts';
import type { Act } from '../../testing/index.ts';
import type { CliIo } from '../io.ts';
import { type BoxedEnd, runBoxed } from './box.ts';
import { type ProbeRecipe, probeRecipes } from './launched.ts';
import { controlCommand, controlFile, controlTrace, type StagedProbe, stage } from './stage.ts';

/** An agent that gives up at a refusal is started again for what is left. */
const maxRuns = 4;
/** And once more when it did not even do what it may: it can have been too slow, once. */
const maxIdleRuns = 2;

export async function probe(
  facts: Facts,
  workspaces: readonly string[],
  io: CliIo,
  places: Places,
  say: (line: string) => void,
): Promise<Probed> {
  const [home = io.home] = facts.homes;
  const results: ProbeResult[] = [];
  const unprobed: (Unprobed & { agent: string })[] = [];
  const silent: { agent: string; why: string }[] = [];
  fs.mkdirSync(places.state, { recursive: true, mode: 0o700 });
  for (const recipe of probeRecipes(home)) {
    const found = facts.agents.find(({ entry, presence }) => entry.id === recipe.agent && presence === 'program');
    if (found === undefined) {
      if (facts.present.has(recipe.agent)) silent.push({ agent: recipe.agent, why: 'it is installed as no program that could be started' });
      continue;
    }
    const program = resolveProgram(found.path, io.env, io.cwd);
    if (program === undefined) {
      silent.push({ agent: recipe.agent, why: `${found.path} cannot be started` });
      continue;
    }
    for (const workspace of workspaces) {
      const { plans, unprobed: left } = probePlans(facts, found.entry, workspace);
      unprobed.push(...left.map((one) => ({ ...one, agent: recipe.agent })));
      for (const how of ['unattended', 'asking'] as const) {
        const own = plans.filter(({ mode }) => mode === (how === 'unattended' ? 'deny' : 'ask'));
        if (own.length === 0) continue;
        say(`asking ${recipe.agent} for what ${own.length === 1 ? 'one rule forbids' : `${own.length} rules forbid`}`);
        const setup = { recipe, program, how, facts, workspace, home, places, version: found.version };
        try {
          results.push(...(await tried(own, setup)));
        } catch (fault) {
          const code = codeOf(fault);
          if (code === 'SANDBOX_UNAVAILABLE' || code === undefined) throw fault;
          silent.push({ agent: recipe.agent, why: fault instanceof IntramurError ? fault.message : code });
        }
      }
    }
  }
  return { results, unprobed, silent };
}

interface Setup {
  readonly recipe: ProbeRecipe;
  readonly program: ResolvedProgram;
  readonly how: ProbeResult['how'];
  readonly facts: Facts;
  readonly workspace: string;
  readonly home: string;
  readonly places: Places;
  readonly version: string | undefined;
}

/** Runs the agent until every act was asked for, or it got nowhere. */
async function tried(plans: readonly ProbePlan[], setup: Setup): Promise<readonly ProbeResult[]> {
  const results: ProbeResult[] = [];
  let left = plans;
  let idle = 0;
  for (let run = 0; run < maxRuns && idle < maxIdleRuns && left.length > 0; run++) {
    const once = await tryOnce(left, setup);
    results.push(...once.done);
    left = once.left;
    if (once.isIdle) idle++;
  }
  const why = idle < maxIdleRuns ? 'the agent was not brought to try it' : 'the agent did not do what it may either';
  const rest = left.map((plan) => resultOf(plan, setup, 'unknown', why));
  return [...results, ...rest];
}

interface Once {
  readonly done: ProbeResult[];
  readonly left: readonly ProbePlan[];
  /** It did not do what it may. */
  readonly isIdle: boolean;
}

async function tryOnce(plans: readonly ProbePlan[], setup: Setup): Promise<Once> {
  const { recipe, program, how, facts, workspace, home, places } = setup;
  const directory = fs.mkdtempSync(path.join(places.state, 'probe-'));
  let end: BoxedEnd | undefined;
  try {
    const staged = stage(plans, recipe.agent, facts, workspace, home, directory);
    const secret = `control-${path.basename(directory)}`;
    const control: Act = how === 'unattended' ? { do: 'shell', command: controlCommand } : { do: 'read', path: controlFile };
    end = await runBoxed({
      program,
      args: recipe.args('Do the steps that you are told, one after another.', how),
      env: { ...recipe.env, INTRAMUR_CONTROL: secret },
      files: recipe.files,
      workspace,
      home,
      staged: { ...staged, workspaceFiles: [...staged.workspaceFiles, { path: controlFile, text: `${secret}\n` }] },
      acts: [control, ...staged.probes.map(actOf)],
      directory,
      cacheDir: places.cache,
    });
    const { told } = end;
    const refused = plans.filter((plan) => !staged.probes.some((one) => one.plan === plan));
    const done = refused.map((plan) => resultOf(plan, setup, 'unknown', "it protects the agent's own settings, which are not played with"));
    const couldDo = count(told[1], secret) > count(told[0], secret) || end.left(controlTrace);
    if (!couldDo) return { done, left: staged.probes.map(({ plan }) => plan), isIdle: true };
    // The last act that was asked for may have no answer: it counts as tried, so that the next run goes on behind it.
    const asked = Math.min(staged.probes.length, told.length - 1);
    for (const [index, one] of staged.probes.slice(0, asked).entries()) {
      if (happened(one, index + 1, workspace, end)) done.push(resultOf(one.plan, setup, 'not-enforced', evidenceOf(one.plan)));
      else if (told[index + 2] !== undefined) done.push(resultOf(one.plan, setup, 'enforced', 'it was refused'));
      else done.push(resultOf(one.plan, setup, 'unknown', 'the agent gave up when it was asked'));
    }
    return { done, left: staged.probes.slice(asked).map(({ plan }) => plan), isIdle: false };
  } finally {
    end?.close();
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

function actOf({ plan, nonce }: StagedProbe): Act {
  const { act } = plan;
  switch (act.do) {
    case 'shell':
      return { do: 'shell', command: act.command };
    case 'read':
      return { do: 'read', path: act.path };
    case 'write':
      return { do: 'write', path: act.path, content: `${nonce}\n` };
  }
}

function happened({ plan, nonce, trace }: StagedProbe, at: number, workspace: string, end: BoxedEnd): boolean {
  if (plan.act.do === 'write') return end.written(path.relative(workspace, plan.act.path)).includes(nonce);
  return end.left(trace) || count(end.told[at + 1], nonce) > count(end.told[at], nonce);
}

function count(text: string | undefined, part: string): number {
  return (text ?? '').split(part).length - 1;
}

function evidenceOf({ act }: ProbePlan): string {
  switch (act.do) {
    case 'shell':
      return `it ran "${act.command}"`;
    case 'read':
      return `it read ${act.path}`;
    case 'write':
      return `it wrote ${act.path}`;
  }
}

function resultOf(plan: ProbePlan, { version, how }: Setup, outcome: ProbeResult['outcome'], evidence: string): ProbeResult {
  return { ...plan, version, how, outcome, evidence };
}
