/** What usage and an invoice may look like. */
const AT = '2026-09-01T00:00:41.000Z';
const START = '2026-08-01T00:00:00.000Z';
const END = '2026-09-01T00:00:00.000Z';
const ADJUSTMENT = {
  id: 'adj-01k0xwb2c4t6v8x0z2n4q6s8ad',
  reason: 'Credit for the outage of 12 August',
  created_at: '2026-08-14T12:00:00.000Z',
};

/** Key, quantity, unit, included, billable, price, priced per, amount: of the plan starter. */
const LINES = [
  ['base_fee', '2678400000', 'milliseconds', '0', '2678400000', 9_000_000, 'month', 9_000_000],
  ['operations', '12500000', 'operations', '10000000', '2500000', 400_000, 'million operations', 1_000_000],
  ['data_transfer', '12884901888', 'bytes', '10737418240', '2147483648', 90_000, 'GiB', 180_000],
  ['compute_time', '3600000000', 'microseconds', '36000000000', '0', 100_000, 'hour', 0],
  [
    'hot_storage',
    '1438331040530432000',
    'byte-milliseconds',
    '718977525350400000',
    '719353515180032000',
    4_000_000,
    'GiB-month',
    1_000_523,
  ],
  ['cold_storage', '0', 'byte-milliseconds', '14379550507008000000', '0', 40_000, 'GiB-month', 0],
] as const;

export const billingExample = (tenantId: string) => ({
  tenant_id: tenantId,
  period: '2026-08',
  status: 'closed',
  final: false,
  from: START,
  to: END,
  currency: 'USD',
  tariff_version: '2026-01',
  segments: [
    {
      plan: 'starter',
      from: START,
      to: END,
      operations: '12500000',
      data_transfer_bytes: '12884901888',
      compute_time_us: '3600000000',
      memory_byte_ms: '1438331040530432000',
      storage_byte_ms: '0',
    },
  ],
  lines: [
    ...LINES.map(([key, quantity, unit, included, billable, price, per, amount]) => ({
      key,
      plan: 'starter',
      quantity,
      unit,
      included,
      billable,
      unit_price_micros: price,
      priced_per: per,
      amount_micros: amount,
      adjustment: null,
    })),
    {
      key: 'adjustment',
      plan: null,
      quantity: '1',
      unit: 'adjustment',
      included: '0',
      billable: '1',
      unit_price_micros: -5_000_000,
      priced_per: 'adjustment',
      amount_micros: -5_000_000,
      adjustment: ADJUSTMENT,
    },
  ],
  total_micros: 6_180_523,
  total: '6.180523',
  closed_at: AT,
  simulated_plan: null,
  closed_periods: ['2026-07', '2026-08'],
});

export const adjustmentExample = (tenantId: string) => ({
  ...ADJUSTMENT,
  tenant_id: tenantId,
  amount_micros: -5_000_000,
  period: null,
});

const SESSION_STOCK = {
  sessions: 1_204,
  spilled_sessions: 310,
  session_memory_bytes: 2_410_112,
  spilled_bytes: 712_704,
};

export const usageExample = (tenantId: string, limits: Readonly<Record<string, number>>) => ({
  tenant_id: tenantId,
  at: AT,
  memory_bytes: 52_428_800,
  storage_bytes: 712_704,
  operations_per_minute: 420,
  data_transfer_bytes: 8_192,
  ...SESSION_STOCK,
  limits,
  percent: { memory_bytes: 50, storage_bytes: 0.07, operations_per_minute: 42, data_transfer_bytes: 0 },
  reserved: { memory_bytes: 0, storage_bytes: 0, data_transfer_bytes: 0 },
  resets_at: {
    memory_bytes: null,
    storage_bytes: null,
    operations_per_minute: '2026-09-01T00:01:00.000Z',
    data_transfer_bytes: '2026-10-01T00:00:00.000Z',
  },
  total: {
    operation_count: 31_204_877,
    data_bytes: 25_769_803_776,
    compute_time_ms: 7_200_312.5,
    storage_bytes: 712_704,
    timestamp: AT,
  },
  series: {
    step: 'hour',
    from: '2026-08-31T23:00:00.000Z',
    to: END,
    items: [
      {
        timestamp: '2026-08-31T23:00:00.000Z',
        operation_count: 25_200,
        data_bytes: 1_048_576,
        compute_time_ms: 6_310.25,
        storage_bytes: 712_704,
        hits: 20_160,
        misses: 2_520,
        bytes_in: 262_144,
        bytes_out: 786_432,
        memory_bytes: 52_428_800,
        ...SESSION_STOCK,
        memory_byte_ms: '188743680000000',
        storage_byte_ms: '2565734400000',
      },
    ],
  },
});
