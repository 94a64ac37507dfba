/** What a restore changes, or changed, as bars. */
import * as z from 'zod';
import { countText, manyText, tableText, timeText } from './amount-text.ts';
import { barText } from './progress-text.ts';

const Kind = z.object({ created: z.number(), changed: z.number(), removed: z.number(), same: z.number().default(0) });
type Kind = z.output<typeof Kind>;

/** Result of a dry run: lib/checkpoints/restore/restore-report.ts. */
export const DiffReport = z.object({
  checkpoint_id: z.string(),
  taken_at: z.string(),
  totals: z.record(z.string(), z.number()),
  tenants: z.array(
    z.object({ tenant_id: z.string(), outcome: z.string(), cache: Kind.optional(), sessions: Kind.optional() }),
  ),
});
export type DiffReport = z.output<typeof DiffReport>;

const WIDTH = 30;
const TENANTS = 10;
/** Sign and meaning, for a restore. */
const PARTS = [
  ['created', '+', 'come back'],
  ['changed', '~', 'change back'],
  ['removed', '-', 'go: written since'],
] as const;

/** Of nothing to change: one line. */
export function diffPicture(report: DiffReport): string {
  const kinds = [
    ['Cache entries', kindOf(report, 'cache')],
    ['Sessions', kindOf(report, 'session')],
  ] as const;
  const most = Math.max(1, ...kinds.flatMap(([, kind]) => PARTS.map(([part]) => kind[part])));
  const head = `Back to ${report.checkpoint_id}, of ${timeText(report.taken_at)}: ${tenantsText(report)}`;
  if (kinds.every(([, kind]) => changesOf(kind) === 0)) return `${head}\n\nNothing would change.`;
  const bars = kinds.map(([name, kind]) => kindPicture(name, kind, most));
  return [head, ...bars, tenantTable(report)].filter((part) => part !== '').join('\n\n');
}

const kindOf = ({ totals }: DiffReport, kind: 'cache' | 'session'): Kind => ({
  created: totals[`${kind}_created`] ?? 0,
  changed: totals[`${kind}_changed`] ?? 0,
  removed: totals[`${kind}_removed`] ?? 0,
  same: totals[`${kind}_same`] ?? 0,
});

const changesOf = ({ created, changed, removed }: Kind): number => created + changed + removed;

/** The longest bar of both kinds is full; what is there at all shows. */
function kindPicture(name: string, kind: Kind, most: number): string {
  const lines = PARTS.map(([part, sign, meaning]) => {
    const ratio = kind[part] === 0 ? 0 : Math.max(kind[part] / most, 1 / (WIDTH * 8));
    return `  ${sign} ${barText(ratio, WIDTH)} ${countText(kind[part]).padStart(11)}  ${meaning}`;
  });
  const same = `  = ${countText(kind.same).padStart(WIDTH + 12)}  stay`;
  return [name, ...lines, same].join('\n');
}

function tenantsText({ totals }: DiffReport): string {
  const { tenants = 0, tenants_would_revive: revived = 0, tenants_erased: erased = 0 } = totals;
  const deleted = totals.tenants_deleted ?? 0;
  const notes = [
    revived > 0 ? `${countText(revived)} that Redis has lost` : '',
    erased > 0 ? `${countText(erased)} erased, which stay so` : '',
    deleted > 0 ? `${countText(deleted)} deleted, which stay so` : '',
  ].filter((note) => note !== '');
  return `${manyText(tenants, 'tenant')}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`;
}

/** Those with the most changes; the report has them in that order. */
function tenantTable({ tenants, totals }: DiffReport): string {
  const zero = { created: 0, changed: 0, removed: 0, same: 0 };
  const rows = tenants
    .map(({ tenant_id, cache = zero, sessions = zero }) => ({ tenant_id, cache, sessions }))
    .filter(({ cache, sessions }) => changesOf(cache) + changesOf(sessions) > 0)
    .slice(0, TENANTS);
  const head = ['Tenant', 'cache +', '~', '-', 'sessions +', '~', '-'];
  const cells = rows.map(({ tenant_id, cache, sessions }) => [
    tenant_id,
    ...[cache, sessions].flatMap(({ created, changed, removed }) => [created, changed, removed].map(countText)),
  ]);
  const more = (totals.tenants ?? 0) - rows.length;
  return `${tableText([head, ...cells], [1, 2, 3, 4, 5, 6])}${more > 0 ? `\nand ${countText(more)} more` : ''}`;
}
