/**
 * A process that seals or archives the audit log and is killed on the way: `node --import ./infra/lua-hook.ts <this file>
 * <seal|archive> <call> <before|after>`. Its environment is the service's own.
 */
import { buildApp } from '../../lib/app.ts';
import { loadConfig } from '../../lib/config/load-config.ts';

const [work, name, phase] = process.argv.slice(2) as ['seal' | 'archive', string, string];
const readFile = () => Promise.reject(new Error('no configuration file'));
const { config } = await loadConfig({ env: process.env, readFile });
const app = await buildApp(config, (call) => {
  if (call.name === name && call.phase === phase) process.kill(process.pid, 'SIGKILL');
});
await app.audit[work]();
