// What a session needed, as a proposal to review: hosts that it was refused or granted, files outside that it looked for in vain, programs
// that it started. INVARIANT: nothing is opened by learning; the session runs in the same walls as any other.
import fs from 'node:fs';
import { isIP } from 'node:net';
import path from 'node:path';
import { product } from '../../../core/index.ts';
import type { Summary } from '../../../daemon/index.ts';
import type { LaunchPlan } from '../../../sandbox/index.ts';
import { printable } from '../status-line.ts';
import { emptyProfile, type Profile, profileFile, readProfile } from './profile.ts';

/** Distinct files and programs that are kept. */
const most = 2000;
/** Places that are the sandbox's own, or everybody's. */
const passedOver = /^\/(?:(?:proc|sys|dev|run|tmp|var\/tmp)(?:\/|$)|etc\/(?:host\.conf|gai\.conf|ld\.so\.preload)$)/;
/** Files that may hold keys or tell of the user: named, never proposed. */
const maybePrivate =
  /(?:^|\/)\.(?:ssh|gnupg|aws|azure|kube|docker|mozilla|thunderbird|password-store|netrc|npmrc|pypirc|git-credentials|pgpass|env)(?:\/|$|\.)|credential|secret|token|passw|keyring|cookie|history|\.(?:pem|key|p12|pfx|kdbx)$|id_[a-z0-9]+$|\.config\/(?:gcloud|gh|google-chrome|chromium|op)\//i;

type Starts = NonNullable<LaunchPlan['decideStarts']>;

export interface Lesson {
  /** Also notes what starts. */
  watching(decide: Starts): Starts;
  onMissing(path: string): void;
  /** Writes the proposal, and returns what to say of it. */
  propose(summary: Summary): string;
}

export interface LessonOptions {
  readonly home: string;
  readonly workspace: string;
  readonly configDirectory: string;
  readonly stateDirectory: string;
  /** `--profile`: what the proposal is compared with. */
  readonly profile: string | undefined;
}

export function createLesson({ home, workspace, configDirectory, stateDirectory, profile }: LessonOptions): Lesson {
  const programs = new Set<string>();
  const missing = new Set<string>();
  return {
    watching: (decide) => (starts) => {
      for (const start of starts) if (start && programs.size < most) programs.add(start.realPath);
      return decide(starts);
    },
    onMissing(file) {
      const isOfUser = isBelow(file, home) && file !== home;
      if (missing.size < most && (isOfUser || !passedOver.test(file)) && !isBelow(file, workspace) && !isBelow(home, file))
        missing.add(file);
    },
    propose(summary) {
      const name = profile ?? summary.agent;
      const file = profileFile(configDirectory, name);
      const before = fs.existsSync(file) ? readProfile(file) : emptyProfile;
      const { proposed, withheld } = proposalFrom(summary, [...missing], home, before);
      const directory = path.join(stateDirectory, 'learned', summary.session);
      fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
      const [profileAt, policyAt] = ['profile.yaml', 'policy.cedar'].map((one) => path.join(directory, one)) as [string, string];
      fs.writeFileSync(profileAt, yamlOf(proposed, withheld), { mode: 0o600 });
      fs.writeFileSync(policyAt, policyOf(summary, [...programs]), { mode: 0o600 });
      const lines = [
        `learned from this session: ${proposed.allow.length} hosts, ${proposed.read.length} files, ${programs.size} programs; nothing was opened`,
        `--- ${fs.existsSync(file) ? file : '/dev/null'}`,
        `+++ ${profileAt}`,
        ...differences(before, proposed).map(printable),
        ...withheld.slice(0, 8).map((one) => `  not proposed, it may hold keys: ${printable(one)}`),
        `a policy for every session: ${policyAt}`,
        `to use it: mkdir -p ${word(path.dirname(file))} && cp ${word(profileAt)} ${word(file)} && ${product.name} run --profile ${word(name)} -- …`,
      ];
      return lines.map((line) => `${product.name}: ${line}\n`).join('');
    },
  };
}

/** As a shell takes it for one word. */
function word(text: string): string {
  return /^[\w./@:+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function proposalFrom({ egress, next_steps }: Summary, missing: readonly string[], home: string, before: Profile) {
  const refused = next_steps.flatMap(({ grant }) => (grant.kind === 'host' ? [`${grant.host}:${grant.port}`] : []));
  // On a port where nobody of ours listens the kernel refuses, and nobody decides. An address is no name to grant.
  const unanswered = egress
    .filter(({ decision, reason, host }) => decision === 'deny' && reason?.startsWith('there is no way out on port') && isIP(host) === 0)
    .map(({ host, port }) => `${host}:${port}`);
  const granted = egress.filter((row) => row.decision === 'allow' && row.class !== 'model').map(({ host, port }) => `${host}:${port}`);
  const files = missing.filter((file) => isFile(file));
  const withheld = files.filter((file) => maybePrivate.test(file)).toSorted();
  const read = files.filter((file) => !maybePrivate.test(file)).map((file) => (isBelow(file, home) ? `~${file.slice(home.length)}` : file));
  const proposed: Profile = {
    allow: [...new Set([...before.allow, ...granted, ...refused, ...unanswered])].toSorted(),
    env: before.env,
    read: [...new Set([...before.read, ...read])].toSorted(),
  };
  return { proposed, withheld };
}

function yamlOf(profile: Profile, withheld: readonly string[]): string {
  const list = (key: keyof Profile) => [
    `${key}:${profile[key].length === 0 ? ' []' : ''}`,
    ...profile[key].map((item) => `  - ${JSON.stringify(item)}`),
  ];
  const notes = withheld.map((file) => `# not proposed, it may hold keys: ${JSON.stringify(file)}`);
  return `${['# Proposed by run --learn. Read it before you use it.', ...list('allow'), ...list('env'), ...list('read'), ...notes].join('\n')}\n`;
}

function policyOf({ agent, next_steps }: Summary, programs: readonly string[]): string {
  const permits = next_steps.map(({ policy }, i) => `@id("learned-${i + 1}")\n${policy}`);
  const names = programs.filter((program) => /^[\w./+-]+$/.test(program)).toSorted();
  const rule = [
    'Programs that started. To let no others start:',
    '@id("programs") forbid(principal, action == Intramur::Action::"process.exec", resource)',
    `unless { resource in [${names.map((program) => `Intramur::Program::"${program}"`).join(', ')}] };`,
  ].map((line) => `// ${line}`);
  return `// Proposed by run --learn for ${JSON.stringify(agent)}. Read it before you use it.\n\n${[...permits, rule.join('\n')].join('\n\n')}\n`;
}

function differences(before: Profile, after: Profile): string[] {
  return (['allow', 'env', 'read'] as const).flatMap((key) =>
    after[key].filter((item) => !before[key].includes(item)).map((item) => `+ ${key}: ${item}`),
  );
}

function isFile(file: string): boolean {
  return fs.statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

function isBelow(file: string, directory: string): boolean {
  return file === directory || file.startsWith(`${directory}/`);
}
