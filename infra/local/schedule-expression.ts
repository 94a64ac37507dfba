/** EventBridge schedule expressions: `rate(5 minutes)` and `cron(0 3 * * ? *)`, always in UTC. */

export type ScheduleExpression = { readonly everyMs: number } | { readonly cron: Cron };

/** The values each field allows; months 1–12, days of the week 0 (Sunday) to 6. */
export interface Cron {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly daysOfMonth: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly daysOfWeek: ReadonlySet<number>;
}

const UNIT_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** @throws {Error} not an expression EventBridge knows, or one that is not supported here (`L`, `W`, `#`, years). */
export function parseSchedule(text: string): ScheduleExpression {
  const rate = /^rate\(([1-9]\d*) (minute|hour|day)s?\)$/.exec(text);
  if (rate) return { everyMs: Number(rate[1]) * (UNIT_MS[rate[2] ?? ''] ?? 0) };
  const fields = /^cron\((.+)\)$/.exec(text)?.[1]?.trim().split(/\s+/);
  if (fields?.length !== 6) throw new Error(`Not a schedule: ${text}; write rate(5 minutes) or cron(0 3 * * ? *)`);
  const [minutes = '', hours = '', daysOfMonth = '', months = '', daysOfWeek = '', years = ''] = fields;
  if (years !== '*') throw new Error(`A schedule for certain years is not supported here: ${text}`);
  return {
    cron: {
      minutes: parseField(minutes, { from: 0, to: 59 }),
      hours: parseField(hours, { from: 0, to: 23 }),
      daysOfMonth: parseField(daysOfMonth, { from: 1, to: 31 }),
      months: parseField(months, { from: 1, to: 12, names: MONTHS }),
      daysOfWeek: new Set([...parseField(daysOfWeek, { from: 1, to: 7, names: WEEKDAYS })].map((day) => day - 1)),
    },
  };
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

interface FieldRange {
  readonly from: number;
  readonly to: number;
  /** Stand for `from`, `from + 1`, … */
  readonly names?: readonly string[];
}

/** A comma list of `*`, `?`, `5`, `1-5`, `MON-FRI`, each with an optional `/step`. */
function parseField(field: string, range: FieldRange): ReadonlySet<number> {
  const values = new Set<number>();
  for (const part of field.split(',')) {
    const [span = '', step = '1', ...more] = part.split('/');
    const [first, last] = parseSpan(span, { ...range, isStepped: part.includes('/') });
    const width = Number(step);
    if (more.length > 0 || !/^[1-9]\d*$/.test(step) || first > last) throw new Error(`Not a cron field: ${field}`);
    for (let value = first; value <= last; value += width) values.add(value);
  }
  return values;
}

function parseSpan(span: string, range: FieldRange & { readonly isStepped: boolean }): [first: number, last: number] {
  if (span === '*' || span === '?') return [range.from, range.to];
  const [low = '', high, ...more] = span.split('-');
  if (more.length > 0) throw new Error(`Not a cron field: ${span}`);
  const first = parseValue(low, range);
  if (high !== undefined) return [first, parseValue(high, range)];
  return [first, range.isStepped ? range.to : first];
}

function parseValue(text: string, { from, to, names = [] }: FieldRange): number {
  const named = names.indexOf(text.toUpperCase());
  const value = named < 0 ? Number(text) : named + from;
  if (text === '' || !Number.isInteger(value) || value < from || value > to)
    throw new Error(`Not a cron value: ${text}`);
  return value;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A leap day that must also be a certain weekday comes within 28 years, or 40 across a century. */
const MAX_DAYS_AHEAD = 366 * 41;

/**
 * When a schedule runs next, strictly after `afterMs` (Unix time, ms).
 * @returns undefined when it never does, as on 31 February.
 */
export function nextRunAt(expression: ScheduleExpression, afterMs: number): number | undefined {
  if ('everyMs' in expression) return afterMs + expression.everyMs;
  const { cron } = expression;
  let candidate = Math.floor(afterMs / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
  for (let day = 0; day < MAX_DAYS_AHEAD; day++) {
    const dayStart = Math.floor(candidate / DAY_MS) * DAY_MS;
    const found = isDay(cron, new Date(dayStart)) ? firstMinute(cron, candidate) : undefined;
    if (found !== undefined) return found;
    candidate = dayStart + DAY_MS;
  }
  return undefined;
}

function isDay(cron: Cron, day: Date): boolean {
  return (
    cron.months.has(day.getUTCMonth() + 1) &&
    cron.daysOfMonth.has(day.getUTCDate()) &&
    cron.daysOfWeek.has(day.getUTCDay())
  );
}

/** The first minute of the rest of this day that fits. */
function firstMinute(cron: Cron, fromMs: number): number | undefined {
  const dayEnd = Math.floor(fromMs / DAY_MS) * DAY_MS + DAY_MS;
  for (let at = fromMs; at < dayEnd; at += MINUTE_MS) {
    const minutes = Math.floor(at / MINUTE_MS);
    if (cron.minutes.has(minutes % 60) && cron.hours.has(Math.floor(minutes / 60) % 24)) return at;
  }
  return undefined;
}
