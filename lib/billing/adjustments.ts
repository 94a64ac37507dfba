/**
 * Corrections: events beside the counters, which never change what was closed. Each stands in the tenant's billing hash as
 *
 *   adj:<ulid>   a1,<at ms>,<amount in micro-units>,<month whose invoice took it up | ->\n<reason, JSON text>
 *
 * It is on the first invoice that is closed after it, once: that invoice is written and names itself here in one step.
 */
export interface Adjustment {
  readonly id: string;
  /** Redis' time. */
  readonly atMs: number;
  readonly amountMicros: bigint;
  /** null: on no closed invoice yet. */
  readonly period: string | null;
  readonly reason: string;
}

export const ADJUSTMENT_PREFIX = 'adj:';
export const adjustmentField = (ulid: string): string => `${ADJUSTMENT_PREFIX}${ulid}`;
export const adjustmentId = (ulid: string): string => `adj-${ulid}`;

const FIELD = /^adj:([0-9a-z]{26})$/;
const TEXT = /^a1,(\d{1,16}),(-?\d{1,16}),(-|\d{4}-\d{2})\n(".*")$/s;

/** @throws {RangeError} not an adjustment. */
export function unpackAdjustment(field: string, text: string): Adjustment {
  const [ulid, parts] = [FIELD.exec(field)?.[1], TEXT.exec(text)];
  if (ulid === undefined || parts === null) throw new RangeError('Not an adjustment');
  const [, at, amount, period, reason] = parts as unknown as [string, string, string, string, string];
  return {
    id: adjustmentId(ulid),
    atMs: Number(at),
    amountMicros: BigInt(amount),
    period: period === '-' ? null : period,
    reason: JSON.parse(reason) as string,
  };
}

/** As it stands once an invoice has taken it up: field and text. */
export function takenUp({ id, atMs, amountMicros, reason }: Adjustment, period: string): readonly [string, string] {
  const field = adjustmentField(id.slice('adj-'.length));
  return [field, `a1,${atMs},${amountMicros},${period}\n${JSON.stringify(reason)}`];
}
