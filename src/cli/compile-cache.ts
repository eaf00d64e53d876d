// V8's compiled code of the command line, kept from run to run: most of a short command is the loading of its own code. In a file of its
// own, because only what is loaded after it is kept.
import module from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { placesFrom } from '../core/place.ts';

export function keepCompiledCode(env: NodeJS.ProcessEnv): void {
  module.enableCompileCache?.(path.join(placesFrom(env, os.homedir()).cache, 'compile'));
}
