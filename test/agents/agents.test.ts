// The five real coding agents, each in its own sandbox against the rehearsal model: a file is created by a tool call, the model calls
// land inside, and nothing else leaves.
import { describe } from 'vitest';
import { agentRecipes } from '../../src/testing/index.ts';
import { governs } from '../e2e/governed.ts';

describe.each(agentRecipes)('$id', (recipe) => governs(recipe));
