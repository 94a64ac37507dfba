/**
 * Many clients of one tenant at once: entries written, read and removed, quotas reserved and settled. Each client knows what
 * its own calls must have added; in the end the tenant's counters must be the sum of it, to the last unit.
 */
import { expect } from 'vitest';
import type { App } from '../../lib/app.ts';
import { AppError } from '../../lib/errors.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import type { Resource } from '../../lib/quotas/quota-state.ts';
import { newTenant } from './app.ts';
import { chargedBytes } from './charged-bytes.ts';
import { gateState } from './gate-state.ts';
import { auditHolds } from './hold-state.ts';
import { randomOf } from './random-numbers.ts';

const KEYS = 5;
/** Tight: a part of the reservations is refused. */
const STORAGE_LIMIT = 20_000;
const RESERVED = ['memory_bytes', 'storage_bytes', 'data_transfer_bytes'] as const;
type Reserved = (typeof RESERVED)[number];

interface Client {
  readonly app: App;
  readonly caller: Caller;
  readonly namespace: string;
  readonly random: (below: number) => number;
  /** Key -> size of its value. */
  readonly entries: Map<string, number>;
  readonly holds: { readonly id: string; readonly resource: Reserved; readonly amount: number }[];
  readonly sum: Record<'ops' | 'hits' | 'misses' | 'bytesIn' | 'bytesOut' | 'seq' | 'transfer' | 'refused', number>;
  readonly committed: Record<Reserved, number>;
}

async function touchEntry({ app, caller, namespace, random, entries, sum }: Client): Promise<void> {
  const name = { namespace, key: `k${random(KEYS)}` };
  const size = entries.get(name.key);
  const dice = random(10);
  sum.ops++;
  if (dice < 5) {
    const value = Buffer.alloc(random(2_000), size);
    await app.cache.set(caller, name, { value, meta: { content_type: 'text/plain' }, ttlMs: null });
    entries.set(name.key, value.length);
    sum.bytesIn += value.length;
    sum.transfer += value.length;
    sum.seq++;
  } else if (dice < 8) {
    const found = await app.cache.get(caller, name);
    expect(found !== null).toBe(size !== undefined);
    sum[size === undefined ? 'misses' : 'hits']++;
    sum.bytesOut += size ?? 0;
    sum.transfer += size ?? 0;
  } else {
    expect(await app.cache.delete(caller, name)).toBe(size !== undefined);
    if (entries.delete(name.key)) sum.seq++;
  }
}

async function reserve({ app, caller, random, holds, sum }: Client): Promise<void> {
  const resource = RESERVED[random(RESERVED.length)] as Reserved;
  const amount = 1 + random(1_000);
  try {
    const { id } = await app.quotas.reserve(caller, { resource, amount, ttlMs: 3_600_000 });
    holds.push({ id, resource, amount });
    sum.ops++;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'storage_full') throw error;
    sum.refused++;
  }
}

async function settle({ app, caller, random, holds, sum, committed }: Client): Promise<void> {
  const [hold] = holds.splice(random(holds.length), 1);
  if (hold === undefined) return;
  const amount = random(3) === 0 ? 0 : random(hold.amount + 1);
  sum.ops++;
  if (amount === 0) await app.quotas.refund(caller, hold.id);
  else await app.quotas.commit(caller, hold.id, amount);
  committed[hold.resource] += amount;
  if (hold.resource !== 'data_transfer_bytes') return;
  sum.transfer += amount;
  sum.bytesOut += amount;
}

async function release({ app, caller, random, sum, committed }: Client): Promise<void> {
  const resource = random(2) === 0 ? 'memory_bytes' : 'storage_bytes';
  if (committed[resource] === 0) return;
  const amount = 1 + random(committed[resource]);
  sum.ops++;
  await app.quotas.release(caller, { resource, amount });
  committed[resource] -= amount;
}

async function work(client: Client, operations: number): Promise<void> {
  for (let done = 0; done < operations; done++) {
    const dice = client.random(10);
    if (dice < 5) await touchEntry(client);
    else if (dice < 7 && client.holds.length < 4) await reserve(client);
    else if (dice < 9) await settle(client);
    else await release(client);
  }
}

/**
 * Runs the clients, half of them on each app, and compares. Fails at the first difference.
 * @returns how many calls there were, and how many of them were refused.
 */
export async function runQuotaLoad(
  apps: readonly App[],
  { clients, operations, seed }: { readonly clients: number; readonly operations: number; readonly seed: number },
): Promise<{ readonly calls: number; readonly refused: number }> {
  const [app] = apps as [App];
  const quotas = {
    operations_per_minute: 60_000_000,
    memory_bytes: 1e12,
    storage_bytes: STORAGE_LIMIT,
    data_transfer_bytes: 1e15,
  };
  const { tenant, caller } = await newTenant(app, { quotas });
  const all = Array.from(
    { length: clients },
    (_, i): Client => ({
      app: apps[i % apps.length] as App,
      caller,
      namespace: `client-${i}`,
      random: randomOf(seed * 1_000 + i),
      entries: new Map(),
      holds: [],
      sum: { ops: 0, hits: 0, misses: 0, bytesIn: 0, bytesOut: 0, seq: 0, transfer: 0, refused: 0 },
      committed: { memory_bytes: 0, storage_bytes: 0, data_transfer_bytes: 0 },
    }),
  );
  await Promise.all(all.map((client) => work(client, operations)));

  const total = (amount: (client: Client) => number) => all.reduce((sum, client) => sum + amount(client), 0);
  const held = (resource: Resource) =>
    total(({ holds }) => holds.reduce((sum, hold) => sum + (hold.resource === resource ? hold.amount : 0), 0));
  const committed = {
    memory: total((one) => one.committed.memory_bytes),
    storage: total((one) => one.committed.storage_bytes),
  };
  expect(await auditHolds(app, tenant.id)).toEqual({
    memoryBytes: held('memory_bytes'),
    storageBytes: held('storage_bytes'),
    transferBytes: held('data_transfer_bytes'),
    committedMemoryBytes: committed.memory,
    committedStorageBytes: committed.storage,
  });
  const meter = await gateState(app, tenant.id).meter();
  for (const name of ['ops', 'hits', 'misses', 'bytesIn', 'bytesOut', 'seq', 'transfer'] as const)
    expect({ [name]: meter[name] }).toEqual({ [name]: BigInt(total(({ sum }) => sum[name])) });
  expect(meter.entries).toBe(BigInt(total(({ entries }) => entries.size)));
  expect(meter.storage).toBe(BigInt(committed.storage));
  expect(meter.memory).toBe(BigInt(committed.memory + (await chargedBytes(app, tenant.id))));
  expect(committed.storage + held('storage_bytes')).toBeLessThanOrEqual(STORAGE_LIMIT);
  return { calls: total(({ sum }) => sum.ops + sum.refused), refused: total(({ sum }) => sum.refused) };
}
