// Test kit: the tables of planted problems are made of these.
type Files = Readonly<Record<string, string>>;
/** Rule, the file that must be named, and a home that has the problem. */
export type Planted = readonly (readonly [id: string, file: string, files: Files])[];

export const json = (value: unknown): string => JSON.stringify(value, undefined, 2);
export const token = `ghp_${'a1B2c3D4e5'.repeat(3)}f6G7h8`;
