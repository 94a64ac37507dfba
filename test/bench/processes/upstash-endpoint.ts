/** The Upstash endpoint in a process of its own: arguments are the URL of Redis and the token. Says its URL. */
import { startUpstashEndpoint } from '../../../infra/local/upstash/start-upstash-endpoint.ts';

const [redisUrl = '', token = ''] = process.argv.slice(2);
const endpoint = await startUpstashEndpoint({ redisUrl, token });
process.once('SIGTERM', () => void endpoint.stop());
console.log(JSON.stringify(endpoint.url));
