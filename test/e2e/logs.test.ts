/** What the service writes to its terminal: enough to follow a request, nothing that belongs to a tenant. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '../../lib/client/client.ts';
import { serviceTenant } from '../support/service-tenant.ts';
import { type RunningService, startService } from '../support/start-service.ts';

const VALUE = 'a-value-of-the-tenant';
const NAME = 'a-name-of-the-owner';

let service: RunningService;
beforeAll(async () => {
  service = await startService({ env: { PERSISTENCE_LOG_LEVEL: 'debug' } });
});
afterAll(() => service.stop());

const lines = () =>
  service
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('the log [M2]', () => {
  it('tells of every request by id and route, of refusals by code, and of no key, name or value', async () => {
    const { key } = await serviceTenant(service);
    const admin = createClient({ baseUrl: service.url, key: service.adminKey });
    const owner = { id: 'o', name: NAME, email: 'ada@secret.test' };
    await admin.createTenant({ body: { name: NAME, owner } });
    const tenant = createClient({ baseUrl: service.url, key });
    const params = { namespace: 'private', key: 'a-key-of-the-tenant' };
    const put = await tenant.putEntry({ params, headers: { 'riptide-source': VALUE }, body: VALUE });
    await tenant.getEntry({ params });
    const refused = await tenant.putEntry({
      params,
      body: `{"${VALUE}`,
      headers: { 'content-type': 'application/json' },
    });
    const wrong = `${key.slice(0, -43)}${'A'.repeat(43)}`;
    await createClient({ baseUrl: service.url, key: wrong }).getEntry({ params });

    await expect.poll(() => lines().filter(({ code }) => code === 'key_unknown')).toHaveLength(1);
    const requestId = put.headers.get('x-request-id');
    expect(lines()).toContainEqual(
      expect.objectContaining({ level: 'DEBUG', route: 'putEntry', request_id: requestId }),
    );
    expect(refused).toMatchObject({ ok: false, problem: { code: 'invalid_json' } });
    expect(lines()).toContainEqual(expect.objectContaining({ level: 'INFO', code: 'invalid_json' }));
    const written = lines()
      .map((line) => JSON.stringify(line))
      .join('\n');
    for (const secret of [VALUE, NAME, 'secret.test', key, wrong, 'a-key-of-the-tenant', service.adminKey]) {
      expect(written).not.toContain(secret);
    }
  });
});
