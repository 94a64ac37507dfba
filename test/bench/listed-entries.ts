/** Tenants with any number of entries, as far as the index tells: what invalidates and counts reads nothing else of them. */
import type { App } from '../../lib/app.ts';
import { type Caller, parseApiKey } from '../../lib/gate/caller.ts';
import { createKeys } from '../../lib/keys.ts';
import { createTenant } from './create-tenant.ts';
import type { Bench } from './setup.ts';

export const LISTED = { namespace: 'products', tag: 'red', prefix: 'catalogue/' } as const;
/** Listed by one call: Redis does nothing else meanwhile. */
const BATCH = 20_000;

/** Lists entries by key, tag and access, as if they had been written: a million by a million sets would take minutes. */
const LIST = `
for i = ARGV[1] + 0, ARGV[2] - 1 do
  local entry = '\\0c\\0' .. ARGV[3] .. '\\0' .. ARGV[4] .. string.format('%07d', i)
  redis.call('ZADD', KEYS[1], 0, 'k' .. entry, 0, 't\\0' .. ARGV[5] .. entry, 0, 'a\\00029000000' .. entry)
end`;

/** They stay until the bench is over. */
export async function listedTenant({ app, raw }: Bench, entries: number): Promise<Caller> {
  const caller = parseApiKey((await createTenant(app.tcp)).apiKey);
  const index = indexOf(app.tcp, caller);
  const { namespace, prefix, tag } = LISTED;
  for (let from = 0; from < entries; from += BATCH) {
    await raw.tcp.eval(LIST, 1, index, from, Math.min(from + BATCH, entries), namespace, prefix, tag);
  }
  return caller;
}

function indexOf({ config }: App, { tenantId }: Caller): string {
  const { keyPrefix, version } = config.cache;
  return createKeys(`${keyPrefix}:${version}:`).index(tenantId, 1);
}
