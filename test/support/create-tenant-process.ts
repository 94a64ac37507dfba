/**
 * A process that creates a tenant and is killed on the way: `node --import ./infra/lua-hook.ts <this file> <call>
 * <before|after> <ulid>`. Its environment is the service's own.
 */
import { buildApp } from '../../lib/app.ts';
import { loadConfig } from '../../lib/config/load-config.ts';
import { CreateTenantRequest } from '../../lib/tenants/contract.ts';

const [name, phase, ulid] = process.argv.slice(2) as [string, string, string];
const readFile = () => Promise.reject(new Error('no configuration file'));
const { config } = await loadConfig({ env: process.env, readFile });
const app = await buildApp(config, (call) => {
  if (call.name === name && call.phase === phase) process.kill(process.pid, 'SIGKILL');
});
const owner = { id: 'owner-1', name: 'Ada', email: 'ada@acme.test' };
await app.tenants.create(CreateTenantRequest.parse({ name: 'Acme', owner }), { ulid });
