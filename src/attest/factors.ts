// The surroundings that are varied, and the values that they take. Every value is made up, distinctive, and different from every other, so
// that it can be recognised where a program states it.

export const factors = [
  'timezone',
  'locale',
  'hostname',
  'user',
  'base-url',
  'git-remote',
  'git-author',
  'directory',
  'proxy',
  'tools',
  'date',
  'login',
] as const;
export type Factor = (typeof factors)[number];

/** Varied unless others are asked for. Another date makes a program slower, since each of its looks at the clock is answered from outside. */
export const usualFactors: readonly Factor[] = factors.filter((factor) => factor !== 'date');

/** One value of a factor. */
export interface Level {
  readonly id: string;
  /** Ways in which a program may openly state it. */
  readonly stated: readonly string[];
}

export interface FactorLevels {
  readonly base: Level;
  readonly others: readonly Level[];
}

/** `id` is also what a run is set to. */
function level(id: string, ...stated: string[]): Level {
  return { id, stated: stated.length > 0 ? stated : id === '' ? [] : [id] };
}

export const levels: Readonly<Record<Factor, FactorLevels>> = {
  timezone: {
    base: level('UTC', 'Etc/UTC', 'Coordinated Universal Time', 'GMT+0000', 'UTC', 'GMT', '+0000', '+00:00'),
    others: [
      level('Asia/Shanghai', 'Asia/Shanghai', 'China Standard Time', 'GMT+0800', 'GMT+8', 'UTC+8', '+0800', '+08:00', 'CST'),
      level(
        'America/New_York',
        'America/New_York',
        'Eastern Standard Time',
        'Eastern Daylight Time',
        'GMT-0500',
        'GMT-0400',
        'GMT-5',
        '-0500',
        '-05:00',
        'EST',
        'EDT',
      ),
    ],
  },
  locale: {
    base: level('en_US.UTF-8', 'en_US.UTF-8', 'en_US', 'en-US'),
    others: [level('zh_CN.UTF-8', 'zh_CN.UTF-8', 'zh_CN', 'zh-CN', 'zh-Hans-CN'), level('de_DE.UTF-8', 'de_DE.UTF-8', 'de_DE', 'de-DE')],
  },
  hostname: { base: level('bench-alder'), others: [level('forge-birch')] },
  user: { base: level('rowan', '/home/rowan', 'rowan'), others: [level('sorrel', '/home/sorrel', 'sorrel')] },
  'base-url': {
    base: level('gw.alder.example'),
    // A lab's own host, labs' names in a stranger's host, and a host that only an intranet knows. Not the own host of an agent's vendor:
    // there an agent may well speak another dialect, and says so.
    others: [level('api.moonshot.cn'), level('gw-deepseek-zhipu-volces.example.net'), level('llm.birch.internal')],
  },
  'git-remote': {
    base: level(
      'https://git.alder.example/core/harbor-light.git',
      'https://git.alder.example/core/harbor-light',
      'git.alder.example',
      'core/harbor-light',
      'harbor-light',
    ),
    others: [
      level(
        'git@github.com:birch-labs/lantern.git',
        'git@github.com:birch-labs/lantern',
        'github.com/birch-labs/lantern',
        'birch-labs/lantern',
        'github.com',
      ),
    ],
  },
  'git-author': {
    base: level('Robin Alder <robin@alder.example>', 'Robin Alder', 'robin@alder.example'),
    others: [level('Wen Birch <wen@birch.example>', 'Wen Birch', 'wen@birch.example')],
  },
  directory: { base: level('quayside', 'quayside'), others: [level('moorland-fields', 'moorland-fields')] },
  proxy: { base: level(''), others: [level('http://127.0.0.1:3128', 'http://127.0.0.1:3128', '127.0.0.1:3128')] },
  tools: { base: level(''), others: [level('docker kubectl', 'docker', 'kubectl')] },
  // Another day of the week, another month, and mostly another year. A program states the day, not the distance.
  date: { base: { id: '', stated: [] }, others: [{ id: '200 days ahead', stated: [] }] },
  login: { base: level('key-alder'), others: [level('key-birch')] },
};

/** Which factors differ from their base, and how; the rest are at their base. */
export type Assignment = Readonly<Partial<Record<Factor, string>>>;

export function levelOf(factor: Factor, assignment: Assignment): Level {
  const { base, others } = levels[factor];
  const id = assignment[factor];
  return id === undefined ? base : (others.find((other) => other.id === id) ?? base);
}

/** One word for a set of surroundings, the same for the same set. */
export function keyOf(assignment: Assignment): string {
  return factors
    .filter((factor) => assignment[factor] !== undefined)
    .map((factor) => `${factor}=${assignment[factor]}`)
    .join(' & ');
}

export function variedIn(assignment: Assignment): Factor[] {
  return factors.filter((factor) => assignment[factor] !== undefined);
}

const dayMs = 86_400_000;

/** How far the clock of a run is ahead of the true one, milliseconds: whole days, so that it is the same time of day. */
export function clockAheadMs(assignment: Assignment): number {
  return dayMs * (Number.parseInt(levelOf('date', assignment).id, 10) || 0);
}
