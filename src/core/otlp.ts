// Values in the JSON encoding of OTLP (opentelemetry-proto, "OTLP/HTTP", JSON Protobuf encoding).

export type OtlpValue = string | number | readonly string[] | undefined;

/** Attributes that have a value. */
export function otlpAttributes(attributes: readonly (readonly [key: string, value: OtlpValue])[]): unknown[] {
  return attributes.flatMap(([key, value]) => (value === undefined ? [] : [{ key, value: encode(value) }]));
}

/** Integers are strings in the JSON encoding: 64 bits do not fit a JSON number. */
function encode(value: Exclude<OtlpValue, undefined>): unknown {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'number') return { intValue: String(value) };
  return { arrayValue: { values: value.map((stringValue) => ({ stringValue })) } };
}

/** @param ms since the epoch, with a fraction; whole microseconds are told apart */
export function otlpTime(ms: number): string {
  return `${Math.floor(ms)}${String(Math.floor((ms % 1) * 1000)).padStart(3, '0')}000`;
}
