/** Values are encrypted under a key of the tenant's own: unreadable in Redis, the same through the API, rotated in between. */
import { randomUUID } from 'node:crypto';
import { demand, demandStatus } from '../claims.ts';
import type { DemoTenant } from '../tenant.ts';
import { lookInRedis } from './look-in-redis.ts';
import { type Act, AMPLE_OPERATIONS, type Stage } from './stage.ts';

export const proveEncryption: Act = {
  title: 'Encryption',
  async run(stage) {
    const { cast } = stage;
    const tenant = await cast.create({ name: 'vault', plan: 'professional', quotas: AMPLE_OPERATIONS });
    if (!tenant.isEncrypted)
      return { shown: [], notShown: ['Encryption: this deployment does not encrypt by default'] };
    const secret = `The vault opens with ${randomUUID()}`;
    await put(tenant, 'before', secret);
    const rotated = await cast.admin.rotateDataKey({ params: { id: tenant.id } });
    demandStatus(rotated, 200, 'A new data key');
    await put(tenant, 'after', secret);
    for (const key of ['before', 'after']) await expectValue(tenant, key, secret);
    const shown = [
      'A data key is rotated while it is in use: values written before and after it are read through the API',
    ];
    const seen = await compareInRedis(stage, tenant, secret);
    return seen === null
      ? { shown, notShown: ['What stands in Redis: the Redis of this service is not known here'] }
      : { shown: [...shown, seen] };
  },
};

/** A tenant that is not encrypted shows that the look finds what can be read. @returns null: Redis is not known here. */
async function compareInRedis({ service, cast }: Stage, vault: DemoTenant, secret: string): Promise<string | null> {
  const { redisUrl } = service;
  if (redisUrl === null) return null;
  const open = await cast.create({ name: 'window', plan: 'starter', quotas: AMPLE_OPERATIONS, encryption: false });
  await put(open, 'plain', secret);
  const control = await lookInRedis(redisUrl, open.id, secret);
  demand(
    control.found.length === 1,
    `A value that is not encrypted was found in ${control.found.length} keys of Redis`,
  );
  const { keys, found } = await lookInRedis(redisUrl, vault.id, secret);
  demand(
    keys > 0 && found.length === 0,
    `The value of an encrypted tenant can be read in Redis, in ${found.join(', ')}`,
  );
  return `In Redis its text stands in none of the ${keys} keys of an encrypted tenant; of one that is not, it does`;
}

async function put({ client }: DemoTenant, key: string, body: string): Promise<void> {
  const reply = await client.putEntry({ params: { namespace: 'vault', key }, query: { ttl_seconds: 3_600 }, body });
  demandStatus(reply, 201, `Store ${key}`);
}

async function expectValue({ client }: DemoTenant, key: string, value: string): Promise<void> {
  const reply = await client.getEntry({ params: { namespace: 'vault', key } });
  demandStatus(reply, 200, `Read the value stored ${key} the rotation`);
  const isSame = Buffer.from(reply.bytes).toString() === value;
  demand(isSame, `The value stored ${key} the rotation came back different`);
}
