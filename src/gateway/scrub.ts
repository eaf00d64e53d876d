// What agents say about their user in places where a model has no use for it, taken out of calls to public targets: ids of device,
// account and installation, billing lines, repository metadata; and the phrases that agents write themselves brought to one
// spelling, so that an environment cannot be told by a look-alike character (one agent's date line did that in 2026). Each rule
// writes a constant or a keyed pseudonym, so that the prefix of a prompt stays the same from call to call and caches still hit.
// Works on the JSON text: every pattern stays inside one string literal.
import crypto from 'node:crypto';

interface Scrub {
  readonly id: string;
  /** Bytes that must occur for the pattern to be tried at all. */
  readonly hint: string;
  /** Where the pattern counts: the same words in a tool's arguments or results are the agent's own, and a model goes on with them. */
  readonly within?: RegExp;
  readonly pattern: RegExp;
  replace(match: readonly string[], pseudonym: (value: string) => string): string;
  /** Part of the caller's own login: only taken out where the call goes out under a key of the company. */
  readonly belongsToLogin?: boolean;
}

/** Characters that look like an apostrophe, and their JSON escapes. */
const apostrophe = String.raw`(?:['\u0060\u00b4\u02b9\u02bb\u02bc\u02bd\u02c8\u2018\u2019\u201b\u2032\uff07]|\\u0027|\\u0060|\\u00[bB]4|\\u02[bB][9bBcCdD]|\\u02[cC]8|\\u201[89bB]|\\u2032|\\u[fF]{2}07)`;
/** Characters that nobody sees, and their escapes. */
const invisible = String.raw`(?:[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff]|\\u00[aA][dD]|\\u200[b-fB-F]|\\u202[a-eA-E]|\\u206[0-9a-fA-F]|\\u[fF][eE][fF]{2})`;
const space = String.raw`(?:[ \u00a0\u2000-\u200a\u202f\u205f\u3000]|\\u00[aA]0|\\u20[02][0-9a-fA-F])`;
const gap = `${invisible}*${space}${invisible}*`;
const separator = String.raw`[-/.\u2010-\u2015\u2212\u2044\u2215\uff0f\uff0d]`;

/** `metadata.user_id` of Claude Code, which is a JSON text. */
const claudeUser = /"user_id":\s*"\{[^"\\]*(?:\\.[^"\\]*)*"/g;
/** A flat object of texts. */
const codexMetadata = /"client_metadata":\s*\{[^"{}]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^"{}]*)*\}/g;

const scrubs: readonly Scrub[] = [
  {
    id: 'date-line',
    hint: 'date',
    pattern: new RegExp(
      `Today${invisible}*${apostrophe}${invisible}*s${gap}date${gap}is(:?)${gap}(\\d{4})${separator}(\\d{2})${separator}(\\d{2})${invisible}*`,
      'g',
    ),
    replace: ([, colon, year, month, day]) => `Today's date is${colon} ${year}-${month}-${day}`,
  },
  {
    id: 'billing-line',
    hint: 'x-anthropic-billing-header',
    pattern: /x-anthropic-billing-header: [^"\\]*/g,
    replace: () => 'x-anthropic-billing-header: cc_version=0; cc_entrypoint=cli;',
    belongsToLogin: true,
  },
  {
    id: 'device-id',
    hint: 'device_id',
    within: claudeUser,
    pattern: /(\\"device_id\\":\s*\\")([^"\\]*)/g,
    replace: ([, before, value = '']) => before + (value === '' ? '' : '0'.repeat(64)),
    belongsToLogin: true,
  },
  {
    id: 'account-id',
    hint: 'account_uuid',
    within: claudeUser,
    pattern: /(\\"account_uuid\\":\s*\\")([^"\\]*)/g,
    replace: ([, before]) => before ?? '',
    belongsToLogin: true,
  },
  {
    id: 'session-id',
    hint: 'session_id',
    within: claudeUser,
    pattern: /(\\"session_id\\":\s*\\")([^"\\]+)/g,
    replace: ([, before, value = ''], pseudonym) => before + pseudonym(value),
    belongsToLogin: true,
  },
  {
    id: 'user-id',
    hint: '_session_',
    pattern: /("user_id":\s*")user_[0-9a-f]+_account_[0-9a-f-]*_session_([0-9a-f-]+)(?=")/g,
    replace: ([, before, session = ''], pseudonym) => `${before}user_${'0'.repeat(64)}_account__session_${pseudonym(session)}`,
    belongsToLogin: true,
  },
  {
    id: 'installation-id',
    hint: 'installation',
    within: codexMetadata,
    pattern: /("(?:x-codex-)?installation[-_]id":\s*")([^"\\]+)/g,
    replace: ([, before, value = ''], pseudonym) => before + pseudonym(value),
    belongsToLogin: true,
  },
  {
    id: 'codex-session',
    hint: 'client_metadata',
    within: codexMetadata,
    pattern: /("(?:session_id|thread_id|turn_id|root_turn_id|x-codex-window-id)":\s*")([^":\\]+)/g,
    replace: ([, before, value = ''], pseudonym) => before + pseudonym(value),
    belongsToLogin: true,
  },
  {
    // Agents name the cache after their session; a name that a company chose stays.
    id: 'cache-key',
    hint: 'prompt_cache_key',
    pattern: /("prompt_cache_key":\s*")([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(?=")/g,
    replace: ([, before, value = ''], pseudonym) => before + pseudonym(value),
    belongsToLogin: true,
  },
  {
    id: 'turn-metadata',
    hint: 'turn-metadata',
    within: codexMetadata,
    pattern: /("x-codex-turn-metadata":\s*")[^"\\]*(?:\\.[^"\\]*)*/g,
    replace: ([, before]) => `${before}{}`,
    belongsToLogin: true,
  },
];

export interface Scrubbed {
  readonly bytes: Uint8Array;
  /** `rule:count`, for the ledger. */
  readonly counts: readonly string[];
}

export interface Scrubber {
  /** @param credential `client`: what belongs to the caller's own login stays */
  scrub(bytes: Uint8Array, credential: 'provider' | 'client'): Scrubbed;
}

/** @param key makes pseudonyms that are stable for one installation and say nothing outside it */
export function createScrubber(key: Uint8Array = crypto.randomBytes(32)): Scrubber {
  const pseudonym = (value: string): string => {
    const hex = crypto.createHmac('sha256', key).update(value).digest('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  };
  return {
    scrub(bytes, credential) {
      const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const due = scrubs.filter(({ hint, belongsToLogin }) => raw.includes(hint) && !(belongsToLogin && credential === 'client'));
      if (due.length === 0) return { bytes, counts: [] };
      const before = raw.toString();
      let text = before;
      const counts: string[] = [];
      for (const { id, within, pattern, replace } of due) {
        let count = 0;
        const scrubbed = (part: string): string =>
          part.replace(pattern, (...match: unknown[]) => {
            const groups = match.filter((group) => typeof group === 'string' || group === undefined).map((group) => group ?? '');
            const replaced = replace(groups, pseudonym);
            if (replaced !== groups[0]) count++;
            return replaced;
          });
        text = within ? text.replace(within, scrubbed) : scrubbed(text);
        if (count > 0) counts.push(`${id}:${count}`);
      }
      return text === before ? { bytes, counts: [] } : { bytes: Buffer.from(text), counts };
    },
  };
}
