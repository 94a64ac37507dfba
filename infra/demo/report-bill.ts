/** A bill, quotas that were full, and usage over time, as a person reads them. */
import { decimalOf } from '../../lib/billing/money.ts';
import { count, type Paint, table } from './report-table.ts';
import type { Bill } from './tour/prove-bill.ts';
import type { UsageMinute } from './tour/prove-usage.ts';
import type { QuotaHit } from './tour/stage.ts';

const BAR_WIDTH = 40;

export function formatBill(bill: Bill, paint: Paint): string {
  const { tenant, plan, period, currency, lines, total_micros, under_other_plans } = bill;
  const rows = lines.map(({ key, quantity, unit, included, price_micros, priced_per, amount_micros }) => [
    key,
    `${grouped(quantity)} ${unit}`,
    grouped(included),
    `${money(price_micros)} / ${priced_per}`,
    money(amount_micros),
  ]);
  const total = [paint('bold', 'total'), '', '', currency, paint('bold', money(total_micros))];
  const others = under_other_plans.map((other) => `${other.plan} ${money(other.total_micros)}`);
  return [
    paint('bold', `Bill of tenant ${tenant}, plan ${plan}, ${period} so far`),
    table(['Line', 'Quantity', 'Included', 'Price', currency], [...rows, total], paint),
    `The same use under another plan: ${others.join(', ')} ${currency}`,
  ].join('\n');
}

export function formatQuotas(hits: readonly QuotaHit[], paint: Paint): string {
  const rows = hits.map(({ resource, status, code, used, limit, resets_in_ms }) => [
    resource,
    count(used),
    count(limit),
    `${status} ${code}`,
    resets_in_ms === null ? 'by removing' : `in ${(resets_in_ms / 1000).toFixed(1)} s`,
  ]);
  const head = ['Quota', 'Used', 'Limit', 'Answer', 'Room again'];
  return [paint('bold', 'Quotas that were full'), table(head, rows, paint)].join('\n');
}

/** A bar for each minute of each tenant, as long as its operations. */
export function formatUsage(minutes: readonly UsageMinute[], paint: Paint): string {
  const most = Math.max(1, ...minutes.map(({ operations }) => operations));
  const lines = minutes.map(({ tenant, at, operations, bytes_in, bytes_out }) => {
    const bar = barOf(operations / most).padEnd(BAR_WIDTH);
    const bytes = `${megabytes(bytes_in)} in, ${megabytes(bytes_out)} out`;
    return `  ${tenant} ${at.slice(11, 16)}  ${paint('green', bar)}  ${count(operations)} operations, ${bytes}`;
  });
  return [paint('bold', 'Usage by minute, UTC'), ...lines].join('\n');
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** @param share 0 to 1; more than nothing is always seen. */
export function barOf(share: number): string {
  const eighths = share > 0 ? Math.max(1, Math.round(share * BAR_WIDTH * 8)) : 0;
  return '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
}

const money = (micros: number) => decimalOf(BigInt(micros));
const grouped = (digits: string) => BigInt(digits).toLocaleString('en');
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
