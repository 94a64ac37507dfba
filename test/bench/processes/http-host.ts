/** The HTTP host with every route of serverless.yml, in a process of its own. Says its URL. */
import '../../../infra/lua-hook.ts';
import { fileURLToPath } from 'node:url';

const { startHost } = await import('../../../infra/local/host.ts');
const { readServiceMap } = await import('../../../infra/local/service-map.ts');

const { routes } = await readServiceMap(fileURLToPath(new URL('../../../serverless.yml', import.meta.url)));
const host = await startHost({ routes, port: 0, onError: (name, error) => console.error(name, error) });
process.once('SIGTERM', () => void host.stop(AbortSignal.timeout(1_000)).then(() => process.exit(0)));
console.log(JSON.stringify(host.url));
