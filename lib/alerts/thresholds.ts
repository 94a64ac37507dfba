/** When a tenant is told of a quota. Pure: what was used, what was told, what is to be told now. */
import type { Resource } from './resources.ts';

/** Percent of a quota. */
const THRESHOLDS = [50, 80, 100] as const;
export type Threshold = (typeof THRESHOLDS)[number];

/** How far a quota was used, at most, within one period of its alerts. */
export interface Use {
  readonly resource: Resource;
  readonly period: string;
  /** In the resource's own unit: bytes, or operations of one minute. */
  readonly used: number;
  readonly limit: number;
  /** Work was refused because of this quota: it is used up, whatever still seems to be left. */
  readonly refused: boolean;
}

/** The highest that was told of one resource in one period: each of the two only grows. */
export interface Mark {
  readonly threshold: number;
  /** What that threshold stood for, in the resource's unit. */
  readonly amount: number;
}

/** Something to be told. */
export interface Crossing extends Use {
  readonly threshold: Threshold;
  readonly amount: number;
}

/**
 * The period in which a threshold is told once. A calendar month in UTC, `2026-11`; of `operations_per_minute`, which
 * resets every minute, a day, `2026-11-21`: else a busy tenant would be told 1,440 times a day.
 */
export function alertPeriod(resource: Resource, atMs: number): string {
  return new Date(atMs).toISOString().slice(0, resource === 'operations_per_minute' ? 10 : 7);
}

/** Names a quota and its period, for {@link dueAlerts}. */
export const markName = ({ period, resource }: Pick<Use, 'period' | 'resource'>): string => `${period}:${resource}`;

/**
 * The highest threshold a use has reached; null for none. Of a quota of 0 everything and nothing is 100 %, so only a
 * refusal reaches it.
 */
export function reached({ used, limit, refused }: Use): { threshold: Threshold; amount: number } | null {
  if (refused) return { threshold: 100, amount: limit };
  if (limit === 0) return null;
  const threshold = THRESHOLDS.findLast((percent) => {
    const [part, whole] = FRACTIONS[percent];
    return used * whole >= limit * part;
  });
  return threshold === undefined ? null : { threshold, amount: amountOf(threshold, limit) };
}

/**
 * What is to be told: of each quota and period the highest threshold reached, unless one as high was told. The lower ones
 * are told with it.
 *
 * When a quota is raised, a threshold is told again only where it stands for more than any told before in the period: 90 of
 * 100 used and the quota raised to 150 tells nothing until 120, its 80 %. When it is lowered, only a higher threshold is.
 */
export function dueAlerts(uses: readonly Use[], marks: ReadonlyMap<string, Mark>): readonly Crossing[] {
  const highest = new Map<string, Crossing>();
  for (const use of uses) {
    const at = reached(use);
    const name = markName(use);
    if (at === null || !isNews(at, marks.get(name))) continue;
    const other = highest.get(name);
    if (other === undefined || isHigher({ ...use, ...at }, other)) highest.set(name, { ...use, ...at });
  }
  return [...highest.values()];
}

/** As the script raise-alert decides. */
function isNews({ threshold, amount }: Mark, mark: Mark | undefined): boolean {
  return mark === undefined || threshold > mark.threshold || amount > mark.amount;
}

const isHigher = (a: Crossing, b: Crossing): boolean =>
  a.threshold !== b.threshold ? a.threshold > b.threshold : a.used > b.used;

/** Whole numbers, so that limits up to 10^15 are compared exactly. */
const FRACTIONS = { 50: [1, 2], 80: [4, 5], 100: [1, 1] } as const satisfies Record<Threshold, readonly number[]>;

function amountOf(threshold: Threshold, limit: number): number {
  const [part, whole] = FRACTIONS[threshold];
  return Math.floor((limit * part) / whole);
}
