// What a session did so far, counted as its decisions and outcomes pass: the numbers of `run`'s summary.
import type { Decision, EntryBody, Label, Perimeter, Report, Request } from '../core/index.ts';
import type { EgressTally, ModelTally, Summary } from './protocol.ts';

/** Distinct egress rows kept per session; what comes after is counted in one row for all other hosts. */
const maxRows = 4096;

export class Tally {
  readonly #egress = new Map<string, EgressTally>();
  readonly #model = new Map<string, ModelTally>();
  readonly #labels = new Map<Label, number>();
  #refusals = 0;
  #programs: { started: number; refused: number } | undefined;
  #first = -1;
  #last = -1;

  /** @returns the row that the outcome of this decision adds its bytes to */
  decided({ act }: Request, decision: Decision, report: Report | undefined, index: number | undefined): EgressTally | undefined {
    const { effect } = decision;
    if (index !== undefined) this.saw(index);
    if (effect === 'deny') this.#refusals += 1;
    if (act.action === 'process.exec') this.#started(effect);
    if (!('host' in act)) return undefined;
    const reason = effect === 'deny' ? decision.reason.text : undefined;
    let key = JSON.stringify([act.host, act.port, act.class, effect, reason]);
    let host = act.host;
    if (!this.#egress.has(key) && this.#egress.size >= maxRows) {
      host = '(further hosts)';
      key = JSON.stringify([host, act.class, effect]);
    }
    let row = this.#egress.get(key);
    if (!row) {
      row = { host, port: act.port, class: act.class, decision: effect, count: 0, bytesOut: 0, bytesIn: 0, ...(reason ? { reason } : {}) };
      this.#egress.set(key, row);
    }
    row.count += 1;
    for (const label of report?.labels ?? []) this.#labels.set(label, (this.#labels.get(label) ?? 0) + 1);
    return row;
  }

  /** Adds an outcome: bytes to the row of its decision and, for a model call that reached a provider, to that provider. */
  ended(row: EgressTally, outcome: Partial<EntryBody>): void {
    const { bytesOut = 0, bytesIn = 0, provider, perimeter } = outcome;
    row.bytesOut += bytesOut;
    row.bytesIn += bytesIn;
    if (provider && perimeter) this.#provider(provider, perimeter, bytesOut, bytesIn);
  }

  #started(effect: Decision['effect']): void {
    this.#programs ??= { started: 0, refused: 0 };
    this.#programs[effect === 'allow' ? 'started' : 'refused'] += 1;
  }

  get refusals(): number {
    return this.#refusals;
  }

  saw(index: number): void {
    if (this.#first < 0) this.#first = index;
    this.#last = Math.max(this.#last, index);
  }

  summary(): Pick<Summary, 'egress' | 'model' | 'labels' | 'refusals' | 'programs'> & { first: number; last: number } {
    return {
      egress: [...this.#egress.values()].map((row) => ({ ...row })),
      model: [...this.#model.values()].map((row) => ({ ...row })),
      labels: [...this.#labels].map(([label, count]) => ({ label, count })),
      refusals: this.#refusals,
      ...(this.#programs ? { programs: { ...this.#programs } } : {}),
      first: this.#first,
      last: this.#last,
    };
  }

  #provider(provider: string, perimeter: Perimeter, bytesOut: number, bytesIn: number): void {
    const row = this.#model.get(provider) ?? { provider, perimeter, requests: 0, bytesOut: 0, bytesIn: 0 };
    row.requests += 1;
    row.bytesOut += bytesOut;
    row.bytesIn += bytesIn;
    this.#model.set(provider, row);
  }
}
