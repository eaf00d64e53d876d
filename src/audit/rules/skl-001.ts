import { linesOf } from './commands.ts';
import { rule } from './rule.ts';
import { downloadAndRun } from './text-patterns.ts';

const suspiciousUrl =
  /https?:\/\/(\d{1,3}(\.\d{1,3}){3}|[\w.-]*\.(ngrok\.(io|app)|ngrok-free\.app|trycloudflare\.com|webhook\.site|pipedream\.net|requestbin\.\w+|oast\.\w+|burpcollaborator\.net|serveo\.net)|pastebin\.com\/raw|transfer\.sh|bit\.ly|tinyurl\.com|t\.ly|is\.gd|glot\.io|rentry\.co|[\w-]+\.(tk|top|xyz|zip|mov)\b)/i;
const obfuscated =
  /[A-Za-z0-9+/]{200,}={0,2}|(\\x[0-9a-f]{2}){12,}|(\bchr\(\d+\)\s*[+.]\s*){5,}|String\.fromCharCode\((\s*\d+\s*,){8,}|\batob\(["'][A-Za-z0-9+/]{40,}/i;

export const hostileSkill = rule({
  id: 'SKL-001',
  severity: 'critical',
  summary: 'A skill, command or plugin downloads and runs code, hides what it does, or names a suspicious address',
  owasp: ['ASI04'],
  remedy: 'Remove the skill; look at what it has already fetched',
  *check({ docs, tree }) {
    const seen = new Set<string>();
    for (const doc of docs) {
      if ((doc.file.role !== 'skill' && doc.file.role !== 'code') || doc.fault !== undefined || seen.has(doc.path)) continue;
      seen.add(doc.path);
      const real = tree.resolve(doc.path) ?? doc.path;
      if (/\.(png|jpe?g|gif|svg|woff2?|pdf|lock|map|min\.js)$/i.test(real)) continue;
      for (const [line, content] of linesOf(doc.text)) {
        if (downloadAndRun.test(content)) yield { doc, line, message: `fetches and runs code: ${content.trim().slice(0, 100)}` };
        else if (obfuscated.test(content))
          yield { doc, line, message: 'holds a long encoded text, which hides what it is', severity: 'high', confidence: 'medium' };
        else {
          const url = suspiciousUrl.exec(content)?.[0];
          if (url !== undefined && !/^https?:\/\/(127\.|10\.|192\.168\.|0\.0\.0\.0|172\.(1[6-9]|2\d|3[01])\.)/.test(url))
            yield { doc, line, message: `names a suspicious address: ${url.slice(0, 80)}`, severity: 'high', confidence: 'medium' };
        }
      }
    }
  },
});
