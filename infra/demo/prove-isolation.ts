/** Tenant B tries what it must not be able to do to tenant A; and calls come with keys that are none. */
import { createClient } from '../../lib/client/client.ts';
import { demand, demandRefusal, demandStatus } from './claims.ts';
import type { DocumentFile } from './documents.ts';
import type { Shelf } from './shelf.ts';
import type { DemoTenant, ServiceAddress } from './tenant.ts';

/**
 * B asks for A's documents by their very names, and removes one of them: it meets nothing, and A still has it.
 * @returns what was shown. @throws {BrokenClaimError}
 */
export async function proveIsolation(a: Shelf, b: DemoTenant, documents: readonly DocumentFile[]): Promise<string[]> {
  for (const { key } of documents) {
    const params = { namespace: a.namespace, key };
    const stolen = await b.client.getEntry({ params });
    demandRefusal(stolen, { status: 404, code: 'entry_not_found' }, `Tenant B, reading ${key} of tenant A`);
    const removed = await b.client.deleteEntry({ params });
    demandStatus(removed, 204, `Tenant B, removing ${key} as if it were its own`);
    const kept = await a.tenant.client.headEntry({ params });
    demandStatus(kept, 200, `Tenant A, looking for ${key} after tenant B tried to remove it`);
  }
  return [`Tenant B cannot read or remove what tenant A stored: ${documents.length} keys tried, 404 each`];
}

/**
 * No key, a wrong secret, another tenant's secret: 401. A tenant's key on an admin route: 403.
 * @returns what was shown. @throws {BrokenClaimError}
 */
export async function proveKeysMatter({ url }: ServiceAddress, a: DemoTenant, b: DemoTenant): Promise<string[]> {
  const forged = { 'a wrong secret': otherSecret(a.key), "tenant B's secret": withSecretOf(a.key, b.key) };
  for (const [what, key] of Object.entries(forged)) {
    const reply = await createClient({ baseUrl: url, key }).whoAmI();
    demandRefusal(reply, { status: 401, code: 'key_unknown' }, `Tenant A's key with ${what}`);
    demand(reply.headers.get('www-authenticate') !== null, 'A 401 says in WWW-Authenticate how to authenticate');
  }
  const keyless = await createClient({ baseUrl: url }).whoAmI();
  demandRefusal(keyless, { status: 401, code: 'key_missing' }, 'A call without a key');
  const intruder = await createClient({ baseUrl: url, key: a.key }).getTenant({ params: { id: b.id } });
  demandRefusal(intruder, { status: 403, code: 'wrong_key_kind' }, "Tenant A's key on an admin route");
  return [
    "A wrong key gets 401: a wrong secret, another tenant's secret, none at all",
    "A tenant's key on an admin route gets 403",
  ];
}

/** `rt_<tenant>_<key id>_<secret>` */
const secretStart = (key: string) => key.lastIndexOf('_') + 1;

const otherSecret = (key: string) => key.slice(0, -1) + (key.endsWith('x') ? 'y' : 'x');

const withSecretOf = (key: string, other: string) => key.slice(0, secretStart(key)) + other.slice(secretStart(other));
