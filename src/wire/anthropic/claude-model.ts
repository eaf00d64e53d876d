// What a Claude model takes, by its name (platform.claude.com, "Adaptive thinking", "Effort", "Migrating to Claude Opus 4.7"). A field
// that a model does not take is an error there, not ignored.

export interface ClaudeModel {
  /** `thinking: {type: "enabled", budget_tokens}` */
  readonly takesBudget: boolean;
  /** `thinking: {type: "adaptive"}` with `output_config.effort` */
  readonly takesAdaptive: boolean;
  /** `temperature`, `top_p` and `top_k` */
  readonly takesSampling: boolean;
  /** `xhigh` */
  readonly takesExtraHigh: boolean;
  /** In adaptive thinking a turn with calls need not begin with a signed thinking block. */
  readonly takesUnsigned: boolean;
  /** Hides its thinking unless it is asked to sum it up. */
  readonly isSilent: boolean;
}

/** A server of another vendor that speaks this dialect. */
const other: ClaudeModel = {
  takesBudget: true,
  takesAdaptive: true,
  takesSampling: true,
  takesExtraHigh: true,
  takesUnsigned: false,
  isSilent: false,
};

export function claudeModel(model: string): ClaudeModel {
  const version = versionOf(model);
  if (version === undefined) return other;
  return {
    takesBudget: version <= 406,
    takesAdaptive: version >= 406,
    takesSampling: version <= 406,
    takesExtraHigh: version > 406,
    takesUnsigned: version >= 406,
    isSilent: version > 406,
  };
}

/** 405 for 4.5; a date behind the name is no version. Both orders are in use: `claude-opus-4-8`, `claude-3-7-sonnet`, `claude-4.7-opus`. */
function versionOf(model: string): number | undefined {
  const [, major, minor = '0'] = /claude-(?:[a-z]+-)?(\d{1,2})(?!\d)(?:[.-](\d{1,2})(?!\d))?/i.exec(model) ?? [];
  return major === undefined ? undefined : Number(major) * 100 + Number(minor);
}
