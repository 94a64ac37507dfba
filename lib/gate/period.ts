/** A calendar month in UTC: what transfer is counted for, and invoices are made of. A month's end is the start of the next; instants are Unix ms. */
export interface Period {
  /** As `2026-11`. Names sort as the months do. */
  readonly name: string;
  readonly startMs: number;
  /** The first instant that is no longer in it. */
  readonly endMs: number;
}

/** The month that holds an instant. */
export function periodOf(atMs: number): Period {
  const at = new Date(atMs);
  const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()];
  return {
    name: `${String(year).padStart(4, '0')}-${String(month + 1).padStart(2, '0')}`,
    startMs: Date.UTC(year, month),
    endMs: Date.UTC(year, month + 1),
  };
}

/** The month after it. */
export const nextPeriod = ({ endMs }: Period): Period => periodOf(endMs);

/** The month before it. */
export const previousPeriod = ({ startMs }: Period): Period => periodOf(startMs - 1);

/** What a period's name looks like, from 1970 to 9999. */
export const PERIOD_NAME = /^(?:19[7-9]\d|[2-9]\d{3})-(?:0[1-9]|1[0-2])$/;

/** null when `name` is none. */
export const parsePeriod = (name: string): Period | null =>
  PERIOD_NAME.test(name) ? periodOf(Date.parse(`${name}-01T00:00:00Z`)) : null;

/** The months that hold the two instants, and all between them. */
export function periodsBetween(fromMs: number, toMs: number): readonly Period[] {
  const periods: Period[] = [];
  for (let period = periodOf(fromMs); period.startMs <= toMs; period = nextPeriod(period)) periods.push(period);
  return periods;
}
