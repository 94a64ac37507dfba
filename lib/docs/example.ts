/** The shape of an example, and what several have in common. */

export interface Example {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly reply?: unknown;
}

export const TENANT = 'tenant-01k0xw6h9te3m8q5v2r7c4n1ba';
export const KEY = 'key-01k0xw7qv3d5n8s2k6h9p4t1mc';
export const WRITTEN_AT = '2026-07-01T09:30:00.000Z';
export const EXPIRES_AT = '2026-07-01T10:30:00.000Z';
export const QUOTAS = {
  memory_bytes: 104_857_600,
  storage_bytes: 1_073_741_824,
  operations_per_minute: 1_000,
  data_transfer_bytes: 10_737_418_240,
};
