/** A fresh tenant of a running service, made over HTTP as an administrator makes one. */
import type { RunningService } from './start-service.ts';

export interface ServiceTenant {
  readonly id: string;
  readonly key: string;
}

type Service = Pick<RunningService, 'url' | 'adminKey'>;

/** @throws {Error} the service did not make it. */
export async function serviceTenant(service: Service, quotas: object = {}): Promise<ServiceTenant> {
  const owner = { id: 'o', name: 'Ada', email: 'ada@acme.test' };
  const rate = { operations_per_minute: 60_000_000 };
  const { id } = await post(service, '/admin/tenants', { name: 'Acme', owner, quotas: { ...rate, ...quotas } });
  const { key } = await post(service, `/admin/tenants/${id}/keys`, {});
  return { id: String(id), key: String(key) };
}

async function post({ url, adminKey }: Service, path: string, body: object): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' };
  const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  if (response.status !== 201) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Record<string, unknown>;
}
