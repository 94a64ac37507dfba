/** Price lists: read whole or refused with the field named; the one in force when a month starts prices it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { DEFAULT_TARIFFS } from '../../lib/billing/default-tariffs.ts';
import { readTariffs } from '../../lib/billing/read-tariffs.ts';
import { type Tariff, tariffOf } from '../../lib/billing/tariff.ts';
import { resolveConfig } from '../../lib/config/resolve-config.ts';
import {
  nextPeriod,
  type Period,
  parsePeriod,
  periodOf,
  periodsBetween,
  previousPeriod,
} from '../../lib/gate/period.ts';

const ADMIN = { PERSISTENCE_ADMIN_KEY_SHA256: 'ab'.repeat(32) };
const [FIRST] = DEFAULT_TARIFFS as readonly [Tariff];
const LATER: Tariff = { ...FIRST, version: '2026-07', effective_from: '2026-07' };
const month = (name: string) => parsePeriod(name) as Period;

/** The list with one value replaced, at a path as `0.plans.free.base_fee_micros`. */
function changed(path: string, value: unknown): string {
  const list = JSON.parse(JSON.stringify([FIRST, LATER])) as unknown;
  const names = path.split('.');
  const last = names.pop() as string;
  const parent = names.reduce<unknown>((node, name) => (node as Record<string, unknown>)[name], list);
  if (value === undefined) delete (parent as Record<string, unknown>)[last];
  else (parent as Record<string, unknown>)[last] = value;
  return JSON.stringify(list);
}

const load = (env: Record<string, string>, file = '') =>
  resolveConfig({ env: { ...ADMIN, ...env }, readFile: () => file });
const fromFile = (file: string, env: Record<string, string> = {}) =>
  load({ RIPTIDE_CONFIG: 'persistence.yml', ...env }, file);

describe('tariffs [T7 G6]', () => {
  it('come back as they were written', () => {
    expect(readTariffs(JSON.stringify([FIRST, LATER]))).toEqual([FIRST, LATER]);
  });

  it.each([
    ['not JSON', '{', 'a JSON list of 1 to 200 tariffs'],
    ['no list', '{}', 'a JSON list of 1 to 200 tariffs'],
    ['an empty list', '[]', 'a JSON list of 1 to 200 tariffs'],
    ['a version twice', changed('1.version', FIRST.version), 'a version of its own at [1].version'],
    [
      'months in no order',
      changed('1.effective_from', '2026-01'),
      'a later month than of the tariff before at [1].effective_from',
    ],
    ['no month', changed('0.effective_from', '2026-13'), 'a month, as 2026-11 at [0].effective_from'],
    ['no such version', changed('0.version', 'a b'), '1 to 40 letters, digits and . _ - at [0].version'],
    ['a plan left out', changed('0.plans.free', undefined), 'a value at [0].plans.free'],
    ['a plan too many', changed('0.plans.gold', {}), 'only free, starter, professional, enterprise at [0].plans'],
    [
      'a price below 0',
      changed('0.plans.starter.base_fee_micros', -1),
      'a whole number from 0 to 1000000000000 at [0].plans.starter.base_fee_micros',
    ],
    [
      'a fraction',
      changed('1.plans.free.operations.included', 1.5),
      'a whole number from 0 to 9007199254740991 at [1].plans.free.operations.included',
    ],
    [
      'a price too high',
      changed('0.plans.free.compute.micros_per_hour', 1e13),
      'a whole number from 0 to 1000000000000 at [0].plans.free.compute.micros_per_hour',
    ],
    [
      'a name that does not exist',
      changed('0.plans.free.compute.micros', 1),
      'only included_ms, micros_per_hour at [0].plans.free.compute',
    ],
    [
      'a part that is none',
      changed('0.plans.free.compute', 5),
      'included_ms, micros_per_hour at [0].plans.free.compute',
    ],
  ])('with %s are refused at start, with the field named', async (_what, json, expected) => {
    const { config, issues } = await load({ PERSISTENCE_BILLING_TARIFFS: json });
    expect(config).toBeUndefined();
    expect(issues).toEqual([
      { field: 'billing.tariffs', message: `expected ${expected}; set by PERSISTENCE_BILLING_TARIFFS` },
    ]);
  });

  it('are a map in the file as well, with placeholders', async () => {
    const file = stringify({
      persistence: { billing: { currency: 'EUR', tariffs: JSON.parse(JSON.stringify([FIRST, LATER])) } },
    });
    const { config, issues } = await fromFile(file.replace('base_fee_micros: 9000000', `base_fee_micros: \${FEE:-7}`), {
      FEE: '',
    });
    expect(issues).toEqual([]);
    expect(config?.billing.currency).toBe('EUR');
    expect(config?.billing.tariffs[0]?.plans.starter.base_fee_micros).toBe(7);
    expect(config?.billing.tariffs[1]).toEqual(LATER);
  });

  it.each([
    ['a missing variable', `a: \${NOT_SET}`, `\${NOT_SET} is not set and has no default`],
    ['nesting without end', `a: ${'['.repeat(12)}${']'.repeat(12)}`, 'expected less, and less deep'],
    [
      'aliases that multiply',
      `a: &a [x,x,x,x,x,x,x,x]\n    b: &b [*a,*a,*a,*a,*a,*a,*a,*a]\n    c: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n    d: &d [*c,*c,*c,*c,*c,*c,*c,*c]\n    e: [*d,*d,*d,*d,*d,*d,*d,*d]`,
      'expected less, and less deep',
    ],
  ])('in the file with %s are refused', async (_what, below, expected) => {
    const { issues } = await fromFile(`persistence:\n  billing:\n   tariffs:\n    ${below}\n`);
    expect(issues).toEqual([{ field: 'billing.tariffs', message: `${expected}; set by persistence.yml:3` }]);
  });

  it('are the built-in ones where none are stated, and without effect where billing is off', async () => {
    expect((await load({})).config?.billing.tariffs).toEqual(DEFAULT_TARIFFS);
    expect(readTariffs(JSON.stringify(DEFAULT_TARIFFS))).toEqual(DEFAULT_TARIFFS);
    const { notes } = await load({ PERSISTENCE_TENANT_ENABLE_BILLING: 'no', PERSISTENCE_BILLING_CURRENCY: 'EUR' });
    expect(await notes()).toEqual([
      'billing.currency (PERSISTENCE_BILLING_CURRENCY) has no effect: tenant.enable_billing is false',
    ]);
  });

  it.each([
    ['2025-03', '2026-01'],
    ['2026-01', '2026-01'],
    ['2026-06', '2026-01'],
    ['2026-07', '2026-07'],
    ['2030-01', '2026-07'],
  ])('in force in %s: that of %s', (period, version) => {
    expect(tariffOf([FIRST, LATER], month(period)).version).toBe(version);
  });
});

describe('periods [T7]', () => {
  it('are calendar months in UTC', () => {
    expect(month('2026-12')).toEqual({
      name: '2026-12',
      startMs: Date.UTC(2026, 11),
      endMs: Date.UTC(2027, 0),
    });
    expect(nextPeriod(month('2026-12')).name).toBe('2027-01');
    expect(previousPeriod(month('2026-01')).name).toBe('2025-12');
    expect(periodsBetween(Date.UTC(2026, 0, 31), Date.UTC(2026, 2)).map(({ name }) => name)).toEqual([
      '2026-01',
      '2026-02',
      '2026-03',
    ]);
  });

  it.each(['2026-00', '2026-13', '26-01', '2026-1', '1969-12', '2026-01-01', ''])('%j is none', (name) => {
    expect(parsePeriod(name)).toBeNull();
  });

  it('leave no instant out, and hold none twice', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(9998, 11) }), (ms) => {
        const period = periodOf(ms);
        expect(period.startMs <= ms && ms < period.endMs).toBe(true);
        expect(parsePeriod(period.name)).toEqual(period);
        expect(nextPeriod(period).startMs).toBe(period.endMs);
        expect(previousPeriod(nextPeriod(period))).toEqual(period);
      }),
    );
  });
});
