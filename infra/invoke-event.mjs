// Fills the placeholders of the events below events/ for a call against the running stack: ${RIPTIDE_ADMIN_KEY},
// ${RIPTIDE_KEY} and ${RIPTIDE_TENANT}. Plain JavaScript, as the plugin that uses it.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const TENANT_PLACEHOLDER = /\$\{RIPTIDE_(KEY|TENANT)\}/;

/**
 * The event with its placeholders filled. Where it asks for a tenant, that is the one of the key in RIPTIDE_KEY; without
 * one, a tenant of its own is made through the running service and kept in the stack's data folder.
 */
export async function fillEvent(event, { settings, dataDir }) {
  const text = JSON.stringify(event ?? {});
  const tenant = TENANT_PLACEHOLDER.test(text) ? await findTenant(settings, dataDir) : {};
  const values = { RIPTIDE_ADMIN_KEY: settings.RIPTIDE_ADMIN_KEY, RIPTIDE_KEY: tenant.key, RIPTIDE_TENANT: tenant.id };
  return JSON.parse(text.replace(/\$\{(RIPTIDE_\w+)\}/g, (placeholder, name) => values[name] ?? placeholder));
}

async function findTenant(settings, dataDir) {
  const given = process.env.RIPTIDE_KEY;
  if (given) return { key: given, id: given.split('_')[1] };
  const file = join(dataDir, 'invoke-local.json');
  const kept = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  if (kept !== undefined && (await isKnown(settings, kept.key))) return kept;
  const made = await makeTenant(settings);
  writeFileSync(file, JSON.stringify(made), { mode: 0o600 });
  return made;
}

// A stack started with --fresh knows nothing of the key kept from before.
async function isKnown({ RIPTIDE_URL }, key) {
  const { status } = await fetch(`${RIPTIDE_URL}/whoami`, { headers: { authorization: `Bearer ${key}` } });
  return status === 200;
}

async function makeTenant(settings) {
  const owner = { id: 'invoke-local', name: 'Invoke Local', email: 'invoke-local@example.com' };
  const { id } = await post(settings, '/admin/tenants', { name: 'invoke-local', owner });
  const { key } = await post(settings, `/admin/tenants/${id}/keys`, { scopes: ['cache:read', 'cache:write'] });
  return { id, key };
}

async function post({ RIPTIDE_URL, RIPTIDE_ADMIN_KEY }, path, body) {
  const reply = await fetch(`${RIPTIDE_URL}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${RIPTIDE_ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (reply.ok) return reply.json();
  throw new Error(`POST ${path} of the running service answered ${reply.status}: ${await reply.text()}`);
}
