// How fast inspection is: ratios and times in one run.
export async function measureSpeed(_options: { readonly directory: string }): Promise<Record<string, number>> {
  return {};
}
