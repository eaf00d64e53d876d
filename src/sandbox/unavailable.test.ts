import { describe, expect, it } from 'vitest';
import { initProgram } from './init-program.ts';
import { lackingLayer, setupFault } from './unavailable.ts';

describe('a launch that failed', () => {
  it.each([
    ['the directories of the overlay', 'overlay'],
    ['the overlay of the workspace', 'overlay'],
    ['the supervisor of system calls', 'audit'],
    ['the filter of supervised calls', 'audit'],
    ['the supervisor', 'audit'],
    ['user and network namespaces', undefined],
    ['user and group maps', undefined],
    ['resource limits', undefined],
    ['a private mount namespace', undefined],
    ['the loopback interface', undefined],
    ['the route for every IPv4 address', undefined],
    ['the listener on tcp port 443', undefined],
    ['starting bubblewrap', undefined],
  ])('at %s: what could be done without is %s', (stage, layer) => {
    expect(lackingLayer(setupFault(stage, -22))).toBe(layer);
  });

  it('knows the stages by the names that they have', () => {
    const owner = { outer: { uid: 1, gid: 1 }, inner: { uid: 1, gid: 1 }, isRoot: false };
    const limits = { pids: 1, fileBytes: 1, tmpfsBytes: 1 };
    const { stages } = initProgram({
      ...owner,
      hasIpv6: true,
      groups: 0,
      overlays: 1,
      warmsOverlay: true,
      listeners: [],
      limits,
      firstForeignFd: 9,
      supervision: undefined,
    });
    expect(new Set(stages.filter((stage) => lackingLayer(setupFault(stage, -22)) === 'overlay'))).toEqual(
      new Set(['the directories of the overlay', 'the overlay of the workspace']),
    );
  });
});
