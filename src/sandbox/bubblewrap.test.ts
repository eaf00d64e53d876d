import { expect, it } from 'vitest';
import { bubblewrap } from './prepare.ts';

it('without bubblewrap there is no sandbox: said with the one command that mends it, never run unconfined', () => {
  expect(() => bubblewrap(['/no/such/bwrap'])).toThrow(
    expect.objectContaining({ code: 'SANDBOX_UNAVAILABLE', hint: expect.stringMatching(/bubblewrap/) as string }),
  );
});
