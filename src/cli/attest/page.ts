// An attestation as one page that stands alone: no script, no font, no address outside. Made to be printed and handed on.
import type { Covert, Disclosure } from '../../attest/index.ts';
import { product } from '../../core/index.ts';
import { visible } from '../ledger/line.ts';
import type { AttestDocument } from './document.ts';
import { percent, unseenText } from './text.ts';

const style = `body{font:15px/1.5 system-ui,sans-serif;color:#1f2937;max-width:60rem;margin:2rem auto;padding:0 1.2rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .6rem;border-bottom:2px solid #e5e7eb;padding-bottom:.2rem}
table{border-collapse:collapse;width:100%;font-size:.88rem}td,th{border:1px solid #e5e7eb;padding:.35rem .5rem;text-align:left;vertical-align:top}
th{background:#f9fafb}code{font:.85em ui-monospace,monospace;overflow-wrap:anywhere;white-space:pre-wrap}.quiet{color:#6b7280}
.verdict{padding:.7rem 1rem;border-radius:8px;border:2px solid;margin:1rem 0;font-size:1.05rem}.found{border-color:#c2410c;background:#fff7ed}
.none{border-color:#15803d;background:#f0fdf4}.open{border-color:#6b7280;background:#f9fafb}.number{text-align:right;white-space:nowrap}
article{break-inside:avoid;margin:.8rem 0;padding-left:.8rem;border-left:4px solid #c2410c}
@media print{body{margin:0;max-width:none;font-size:11px}h2{break-after:avoid}tr{break-inside:avoid}}`;

export function attestationPage(document: AttestDocument): string {
  const { agent, version, sha256, attestedAt, runs, failedRuns, tokensCompared, covert, varied, notVaried } = document;
  const [toModel, toOthers] = [
    document.disclosed.filter(({ to }) => to === 'model'),
    document.disclosed.filter(({ to }) => to !== 'model'),
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${show(agent)} ${show(version)}: what it says of its surroundings</title>
<style>
${style}
</style></head><body>
<h1>${show(agent)} ${show(version)}: what it says of its surroundings</h1>
<p class="quiet">${show(attestedAt.slice(0, 16).replace('T', ' '))} UTC · ${runs} runs in the sandbox of ${product.title}${failedRuns > 0 ? `, ${failedRuns} failed` : ''} · ${tokensCompared.toLocaleString('en')} tokens compared · nothing left the machine<br><code>sha256 ${show(sha256)}</code></p>
${verdict(document)}
${covert.map((one) => finding(one, document)).join('\n')}
<h2>What it tells the model</h2>
${statements(toModel, document, 'These runs saw no varied surroundings stated to the model.')}
<h2>What it tells others</h2>
${statements(toOthers, document, 'These runs saw no varied surroundings stated to anybody else.')}
${sideChannels(document)}
<h2>What the scrub profile removes</h2>
${scrubs(document)}
<h2>What the program ships</h2>
<p class="quiet">Hints only: programs hide strings for many reasons. What counts is what is sent.</p>
${hints(document)}
<h2>What this rests on</h2>
<p>Varied: ${varied.join(', ')}${notVaried.length > 0 ? `; not varied: ${notVaried.join(', ')}` : ''}${document.unseen.length > 0 ? `; no run succeeded with ${show(unseenText(document))}` : ''}. A difference counts when it follows one of these in every run and chance does not explain it.
This page is about this version of the program, in these surroundings, on one short task; other versions may behave differently, and a pass says that these runs found nothing.</p>
</body></html>
`;
}

function verdict({ covert, passed, failures }: AttestDocument): string {
  if (covert.length > 0)
    return `<p class="verdict found"><strong>${covert.length === 1 ? 'One hidden environment marker was' : `${covert.length} hidden environment markers were`} found.</strong> What it sends differs with its surroundings without stating them.</p>`;
  if (passed)
    return '<p class="verdict none"><strong>No hidden environment marker was found.</strong> Whatever followed the surroundings states them openly.</p>';
  return `<p class="verdict open"><strong>Nothing can be said:</strong> too many runs failed. ${failures.map(show).join('; ')}</p>`;
}

function finding({ where, channel, confidence, tokens, variesWith }: Covert, { evidence }: AttestDocument): string {
  const rows = tokens.slice(0, 12).map((token) => `<li><code>${show(token)}</code></li>`);
  const lines = evidence.flatMap(({ where: at, reference, varied }) =>
    at !== where || reference === undefined
      ? []
      : [`<tr><td><code>${show(reference)}</code></td><td><code>${show(varied)}</code></td></tr>`],
  );
  return `<article><strong><code>${show(where)}</code></strong><br>varies with ${variesWith.join(' and ')} · channel: ${channel} · confidence ${percent(confidence)}
<ul>${rows.join('')}</ul>${lines.length === 0 ? '' : `<table><thead><tr><th>As sent in the neutral run</th><th>As sent in the varied run</th></tr></thead><tbody>${lines.join('')}</tbody></table>`}</article>`;
}

function statements(disclosed: readonly Disclosure[], { evidence }: AttestDocument, none: string): string {
  if (disclosed.length === 0) return `<p>${none}</p>`;
  const rows = disclosed.map(({ what, where, to }) => {
    const quote = evidence.find((one) => one.where === where && one.reference === undefined && one.variesWith.includes(what));
    const who = to === 'model' ? '' : `<br><span class="quiet">${to}</span>`;
    return `<tr><td>${what}${who}</td><td><code>${show(where)}</code></td><td><code>${show(quote?.varied ?? '')}</code></td></tr>`;
  });
  return `<table><thead><tr><th>States</th><th>Where</th><th>For example</th></tr></thead><tbody>${rows.join('\n')}</tbody></table>`;
}

function sideChannels({ sideChannels: all, modelBytes }: AttestDocument): string {
  const bytes = all.reduce((sum, channel) => sum + channel.bytes, 0);
  const rows = all.map(
    (channel) =>
      `<tr><td><code>${show(channel.host)}</code></td><td>${channel.class}</td><td class="number">${channel.requests}</td><td class="number">${channel.bytes.toLocaleString('en')}</td></tr>`,
  );
  const sum = `<p>In a typical run ${bytes.toLocaleString('en')} bytes of request bodies go beside the model calls, and ${modelBytes.toLocaleString('en')} bytes to the model.</p>`;
  if (rows.length === 0) return sum;
  return `${sum}<table><thead><tr><th>Host</th><th>Class</th><th class="number">Requests</th><th class="number">Bytes</th></tr></thead><tbody>${rows.join('\n')}</tbody></table>`;
}

function scrubs({ scrubbed }: AttestDocument): string {
  if (scrubbed.length === 0) return '<p>Nothing in the model calls of these runs is of a kind that the scrubs take out.</p>';
  const rows = scrubbed.map((text) => {
    const [rule = '', count = ''] = text.split(':');
    return `<tr><td>${show(rule)}</td><td class="number">${show(count)}</td></tr>`;
  });
  return `<p>On the way to a public model through the gateway, per run:</p><table><thead><tr><th>Rule</th><th class="number">Times</th></tr></thead><tbody>${rows.join('\n')}</tbody></table>`;
}

function hints({ shipped }: AttestDocument): string {
  if (shipped.length === 0) return '<p>Nothing that is looked for.</p>';
  const rows = shipped.map(
    ({ kind, says, evidence, count }) =>
      `<tr><td>${kind}</td><td>${show(says)}</td><td><code>${show(evidence)}</code></td><td class="number">${count}</td></tr>`,
  );
  return `<table><thead><tr><th>Kind</th><th>What it is</th><th>For example</th><th class="number">Times</th></tr></thead><tbody>${rows.join('\n')}</tbody></table>`;
}

/** Never trusts a text: control and hidden characters become visible, then nothing of it is markup. */
function show(text: string): string {
  return visible(text).replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
