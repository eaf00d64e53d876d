import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadPolicies, type PolicyEngine } from './index.ts';

async function load(annotations: string): Promise<PolicyEngine> {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'annotations-'));
  try {
    fs.mkdirSync(path.join(root, 'own'));
    fs.writeFileSync(
      path.join(root, 'own/a.cedar'),
      `@id("a")\n${annotations}\npermit(principal, action == Intramur::Action::"llm.invoke", resource);`,
    );
    return await loadPolicies({ packs: [], packsDir: path.join(root, 'packs'), dirs: [path.join(root, 'own')] });
  } catch (fault) {
    throw new Error((fault as Error).message.replaceAll(`${root}/`, ''));
  } finally {
    fs.rmSync(root, { recursive: true });
  }
}

describe('annotations', () => {
  it.each([
    ['@efect("ask")', 'unknown annotation @efect; did you mean @effect?'],
    ['@Effect("ask")', 'unknown annotation @Effect; did you mean @effect?'],
    ['@aprovers("lead")', 'unknown annotation @aprovers; did you mean @approvers?'],
    ['@aprover("lead")', 'unknown annotation @aprover; did you mean @approvers?'],
    ['@reson("no")', 'unknown annotation @reson; did you mean @reason?'],
    ['@raeson("no")', 'unknown annotation @raeson; did you mean @reason?'],
    ['@tll("15m")', 'unknown annotation @tll; did you mean @ttl?'],
    ['@effect("aks")', '@effect takes "ask" and nothing else'],
    ['@effect', '@effect takes "ask" and nothing else'],
    ['@effect("permit")', '@effect takes "ask" and nothing else'],
    ['@ttl("banana")', '@ttl takes a time, such as "15m", "12h" or "7d"'],
    ['@ttl("0m")', '@ttl takes a time, such as "15m", "12h" or "7d"'],
    ['@approvers("")', '@approvers takes names, such as "lead" or "lead, security"'],
  ])('%s stops the load', async (annotation, message) => {
    await expect(load(annotation)).rejects.toThrow(`own/a.cedar:2:1: ${message}`);
  });

  it("that are right, and words of the author's own, are taken, with a note on what nothing comes of", async () => {
    const { notes } = await load(
      '@reason("no") @effect("ask") @approvers("lead, sec.team@acme") @ttl("15m") @owner("x") @region("eu") @title("x")',
    );
    expect(notes).toEqual([
      'own/a: @effect("ask") asks nobody yet: the policy permits',
      'own/a: @owner is read by nothing',
      'own/a: @region is read by nothing',
      'own/a: @title is read by nothing',
    ]);
  });
});
