// Signatures with keys that stay outside, decided like any other act.
import type { Mediation } from './mediation.ts';
import type { Proposals } from './proposals.ts';
import type { SignatureRequest } from './protocol.ts';
import type { Session } from './session.ts';

export async function decideSignature(
  { name, what, refused }: SignatureRequest,
  session: Session,
  { mediation, proposals }: { readonly mediation: Mediation; readonly proposals: Proposals },
): Promise<boolean> {
  const request = { principal: session.principal, act: { ...useOf(name, session), what: what ?? 'something else' } };
  if (what === undefined || refused !== undefined) {
    await mediation.recordRefusal(
      request,
      refused?.slice(0, 200) ?? 'what was to be signed is neither a login nor a signature of ssh-keygen',
      'signing',
    );
    return false;
  }
  const { decision, entry } = await mediation.mediate(request, { bytes: new Uint8Array(), contentType: '', views: [] });
  proposals.note(request, decision, entry?.index);
  return decision.effect === 'allow';
}

/** Would a signature be allowed? Shows a key to the program inside; that is not yet a use. */
export function isUsable(name: string, session: Session, now: Date): boolean {
  const request = { principal: session.principal, act: { ...useOf(name, session), what: '' } };
  return session.engine.decide(request, { labels: [], classification: session.principal.classification, now }).effect === 'allow';
}

function useOf(name: string, { config, keys }: Session) {
  const { ssh, gpg } = config.signing;
  const isNamed = ssh.some((fingerprint) => name === `ssh:${fingerprint}`) || gpg.some((key) => name === `gpg:${key}`);
  const isGranted = keys.has(name) || isNamed;
  return { action: 'secret.use', name, use: 'sign', isGranted } as const;
}
