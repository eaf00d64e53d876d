// Text that a reader does not see and a model does: tag characters, bidirectional controls (CVE-2021-42574), zero-width characters
// inside words, long runs of variation selectors, terminal sequences that hide or link. Looked for in the UTF-8 bytes.
import type { InspectFinding, Tier } from '../core/index.ts';
import type { View } from './view.ts';

export interface HiddenText {
  readonly id: string;
  readonly tier: Tier;
  /** A byte without which there is none. */
  readonly trigger: number;
  /** Over text of one character per byte. */
  readonly pattern: RegExp;
}

/** U+200B-U+200D, U+2060-U+2064, U+FEFF, U+00AD, U+180E, U+3164. */
const ZERO_WIDTH = '(?:\\xe2\\x80[\\x8b-\\x8d]|\\xe2\\x81[\\xa0-\\xa4]|\\xef\\xbb\\xbf|\\xc2\\xad|\\xe1\\xa0\\x8e|\\xe3\\x85\\xa4)';

export const hiddenTexts: readonly HiddenText[] = [
  // A flag of a part of a country (black flag, tags, cancel tag) is the one proper use of tag characters.
  {
    id: 'tag-characters',
    tier: 'route',
    trigger: 0xf3,
    pattern: /(?<!\xf0\x9f\x8f\xb4(?:\xf3\xa0[\x80\x81][\x80-\xbf]){0,8})(?:\xf3\xa0[\x80\x81][\x80-\xbf])+/g,
  },
  { id: 'variation-selectors', tier: 'route', trigger: 0xf3, pattern: /(?:\xf3\xa0[\x84-\x87][\x80-\xbf]){2,}/g },
  { id: 'bidi-controls', tier: 'route', trigger: 0xe2, pattern: /\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]/g },
  // Between letters of ASCII there is no use for them; emoji and scripts that join letters stay alone.
  { id: 'zero-width', tier: 'count', trigger: 0xe2, pattern: new RegExp(`(?<=[\\x21-\\x7e])${ZERO_WIDTH}+(?=[\\x21-\\x7e])`, 'g') },
  { id: 'zero-width-run', tier: 'route', trigger: 0xe2, pattern: new RegExp(`${ZERO_WIDTH}{8,}`, 'g') },
  // Conceal (SGR 8), and operating system commands: links with another target, the clipboard, the window title.
  { id: 'terminal-conceal', tier: 'route', trigger: 0x1b, pattern: /\x1b\[(?:\d{1,3};){0,4}8(?:;\d{1,3}){0,4}m/g },
  { id: 'terminal-command', tier: 'count', trigger: 0x1b, pattern: /\x1b\](?:8|52|0|1|2|9|777);/g },
];

const triggers = new Set(hiddenTexts.map(({ trigger }) => trigger));

export function hiddenTextIn(view: View): InspectFinding[] {
  let isDue = false;
  for (const trigger of triggers) isDue ||= view.bytes.includes(trigger);
  if (!isDue) return [];
  return hiddenTexts.flatMap(({ id, tier, trigger, pattern }) => {
    if (view.bytes.indexOf(trigger) === -1) return [];
    const runs = joinedRuns([...view.text.matchAll(pattern)].map((match) => ({ start: match.index, end: match.index + match[0].length })));
    return runs.map(({ start, end, count }) => ({
      kind: 'hidden-text' as const,
      tier,
      detector: id,
      view: view.decodersOf(start, end),
      ...view.origin(start, end),
      redacted: `${id}, ${count} in ${end - start} bytes`,
    }));
  });
}

const NEAR = 256;

/** A text that is hidden letter by letter is one finding. */
function joinedRuns(matches: readonly { start: number; end: number }[]): { start: number; end: number; count: number }[] {
  const runs: { start: number; end: number; count: number }[] = [];
  for (const { start, end } of matches) {
    const last = runs.at(-1);
    if (last && start - last.end <= NEAR) runs[runs.length - 1] = { start: last.start, end, count: last.count + 1 };
    else runs.push({ start, end, count: 1 });
  }
  return runs;
}
