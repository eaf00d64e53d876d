// Agents that are merely alive: they use random ids, retry, hurry and dawdle, and state openly what they state. None of them may be accused.
import { gzipSync } from 'node:zlib';
import { hex, inSystem, isoDay, type SyntheticAgent, setHeader, shuffled, uuid } from './synthetic-agents.ts';

function innocent(id: string, change: SyntheticAgent['change'], aside?: NonNullable<SyntheticAgent['aside']>): SyntheticAgent {
  return { id, marks: undefined, follows: [], change, ...(aside ? { aside } : {}) };
}

export const innocentAgents: readonly SyntheticAgent[] = [
  innocent('plain', () => {}),
  innocent('random ids everywhere', (d, s) => {
    d.headers.push(['x-trace', `00-${hex(s.random, 32)}-${hex(s.random, 16)}-01`], ['x-session', uuid(s.random)]);
    inSystem(d, 'Platform: linux', `Platform: linux (session ${uuid(s.random)})`);
    d.body['nonce'] = Math.floor(s.random() * 1e12);
  }),
  innocent('random boundary', (d, s) => setHeader(d, 'Content-Type', `multipart/form-data; boundary=----${hex(s.random, 24)}`)),
  innocent('jitter and slow moments', (d, s) => {
    d.waitMs = 10 + s.random() * 80 + (s.random() < 0.1 ? 400 : 0);
  }),
  innocent('tools in random order', (d, s) => {
    if (Array.isArray(d.body['tools'])) d.body['tools'] = shuffled(d.body['tools'], s.random);
  }),
  innocent('keys and headers in random order', (d, s) => {
    d.body = {
      ...Object.fromEntries(shuffled(Object.entries(d.body), s.random)),
      metadata: Object.fromEntries(shuffled(Object.entries({ user_id: 'u', turn_id: 't', thread_id: 'h', root_id: 'r' }), s.random)),
    };
    d.headers = shuffled(d.headers, s.random);
    d.hello = { ...d.hello, extensions: shuffled(d.hello.extensions, s.random) };
  }),
  innocent('a line of a tool that is sometimes late', (d, s) => {
    const warning = `warning: cannot change locale (${s.value('locale')})`;
    inSystem(d, 'Platform: linux', s.random() < 0.85 ? `Output:\n${warning}\n` : 'Output:\n');
  }),
  innocent('random choice of words', (d, s) => {
    if (s.random() < 0.5) inSystem(d, 'better', 'wiser');
    if (s.random() < 0.15) inSystem(d, 'carefully', 'with care');
  }),
  innocent('random retries and reconnects', (d, s) => {
    if (s.random() < 0.2) d.times = 2;
    if (s.random() < 0.2) d.isNewConnection = true;
  }),
  innocent('states everything openly', (d, s) => {
    const facts = [
      `Host: ${s.value('hostname')}`,
      `User: ${s.value('user')} in /home/${s.value('user')}`,
      `Remote: ${s.value('git-remote')}`,
    ];
    const more = [`Author: ${s.value('git-author')}`, `Zone: ${s.timezone}`, `Locale: ${s.locale}`, `Proxy: ${s.value('proxy') || 'none'}`];
    inSystem(d, 'Platform: linux', ['Platform: linux', ...facts, ...more, `Found: ${s.value('tools') || 'nothing'}`].join('\n'));
    d.headers.push(['x-workspace', `-work-${s.value('directory')}`]);
  }),
  innocent('localised date and time', (d, s) => {
    const { timezone: timeZone, locale, now } = s;
    const day = new Intl.DateTimeFormat(locale, { timeZone, dateStyle: 'full' }).format(now);
    const time = new Intl.DateTimeFormat('en-GB', { timeZone, timeStyle: 'medium' }).format(now);
    inSystem(d, isoDay(s), `${day} at ${time} ${s.timezone}`);
  }),
  innocent('localised name of the zone', (d, { timezone: timeZone, locale, now }) => {
    const parts = new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: 'long' }).formatToParts(now);
    const offset = { UTC: '+0000', 'Asia/Shanghai': '+0800' }[timeZone] ?? '-0500';
    inSystem(d, 'Platform: linux', `Platform: linux, GMT${offset} (${parts.find(({ type }) => type === 'timeZoneName')?.value ?? ''})`);
  }),
  innocent('month and weekday in a sentence', (d, { timezone: timeZone, now }) => {
    const part = (options: Intl.DateTimeFormatOptions): string => new Intl.DateTimeFormat('en-US', { timeZone, ...options }).format(now);
    const month = part({ month: 'long', year: 'numeric' });
    inSystem(
      d,
      'Platform: linux',
      `Platform: linux. It is a ${part({ weekday: 'long' })} in ${month}; weeks begin on Thursday, terms in June.`,
    );
  }),
  innocent('localised moment', (d, { timezone: timeZone, locale, now }) => {
    inSystem(
      d,
      'Platform: linux',
      `Platform: linux, ${now.toLocaleString(locale, { timeZone })}, ${now.toLocaleString(locale, { timeZone, dateStyle: 'long', timeStyle: 'short' })}`,
    );
  }),
  innocent('timestamps', (d, s) => {
    d.headers.push(['x-sent-at', s.now.toISOString()], ['x-epoch', String(s.now.getTime())]);
    inSystem(d, 'Platform: linux', `Platform: linux, started ${s.now.toISOString()}`);
  }),
  innocent('the time within ids', (d, s) => {
    const ms = s.now.getTime();
    const counted = (ms * 4096 + 7) % 2 ** 48;
    const digits = (value: number): string => value.toString(16).padStart(12, '0');
    d.headers.push(['x-sort-key', ms.toString(36)], ['x-turn', `ses_${digits(2 ** 48 - 1 - counted)}${hex(s.random, 8)}`]);
    d.headers.push(
      ['x-message', `msg_${digits(counted)}`],
      ['x-trace', digits(ms).replace(/^(.{8})(.{4})$/, `$1-$2-7${hex(s.random, 3)}-a`)],
    );
    d.body['created'] = Math.floor(ms / 1000);
  }),
  innocent('compressed with random contents', (d, s) => {
    d.headers.push(['Content-Encoding', 'gzip']);
    const noise = hex(s.random, 20 + Math.floor(s.random() * 200));
    d.encode = (body) => gzipSync(JSON.stringify({ ...body, noise }));
  }),
  innocent(
    'telemetry when it likes',
    () => {},
    (s) =>
      Array.from({ length: Math.floor(s.random() * 4) }, () => ({
        host: 'telemetry.vendor.example',
        class: 'telemetry' as const,
        target: `/events/${hex(s.random, 20)}`,
        encode: () => Buffer.from(hex(s.random, 40 + Math.floor(s.random() * 400))),
      })),
  ),
];
