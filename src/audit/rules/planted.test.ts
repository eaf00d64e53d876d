import { describe, expect, it } from 'vitest';
import { auditOf, placed } from '../temporary-home.ts';
import { plantedPermissions } from './planted-permissions.ts';
import { plantedProjects } from './planted-projects.ts';
import { plantedSurroundings } from './planted-surroundings.ts';
import { rules } from './registry.ts';

const planted = [...plantedPermissions, ...plantedProjects, ...plantedSurroundings];

describe('planted problems are found, in the file where they are', () => {
  it.each(planted)('%s in %s', (id, file, files) => {
    const { findings } = auditOf(files);
    const shown = findings.map((finding) => `${finding.id} ${finding.file ?? ''}`);
    expect(shown).toContain(`${id} ${placed(file)}`);
    const found = findings.find((one) => one.id === id && one.file === placed(file));
    expect(found?.line === null || (found?.line ?? 1) >= 1).toBe(true);
  });

  it('organisation: banned and unknown tools, jurisdiction, classified code', () => {
    const files = { '~/.qwen/settings.json': '{}', '~/.codex/config.toml': '', '.qwen/settings.json': '{}' };
    const { findings } = auditOf(files, {
      tools: { codex: { status: 'vetted' }, 'qwen-code': { status: 'banned' } },
      forbiddenJurisdictions: ['CN'],
      classify: () => 'internal',
    });
    expect(
      findings.filter(({ id }) => /^(INV-002|JUR-001|NET-001)$/.test(id)).map(({ id, agent, severity }) => [id, agent, severity]),
    ).toEqual([
      ['INV-002', 'qwen-code', 'high'],
      ['JUR-001', 'qwen-code', 'high'],
      ['NET-001', 'qwen-code', 'high'],
    ]);
  });

  it('every rule is planted somewhere', () => {
    const covered = new Set([
      ...planted.map(([id]) => id),
      'INV-002',
      'JUR-001',
      'NET-001',
      'CRED-004',
      'FS-001',
      'PROJ-008',
      'MCP-010',
      'ENF-001',
    ]);
    expect(rules.map(({ id }) => id).filter((id) => !covered.has(id))).toEqual([]);
  });
});
