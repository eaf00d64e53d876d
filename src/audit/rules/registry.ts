import { unreadableConfiguration } from './cfg-001.ts';
import type { Rule } from './rule.ts';

export const rules: readonly Rule[] = [unreadableConfiguration];
