/**
 * A process that makes a checkpoint of all there is. Says `{idleBytes, peakBytes, ms, made}`: its resident memory before, and the most it ever
 * had. Its environment is the service's.
 */
import '../../../infra/lua-hook.ts';

process.env.POWERTOOLS_METRICS_DISABLED = 'true';
const { getApp } = await import('../../../lib/app.ts');
const { makeCheckpoint } = await import('../state-service.ts');

const app = await getApp();
// All is loaded and connected then.
await app.blobs.list({ prefix: 'checkpoints/' });
await app.jobs.run();
const idleBytes = process.memoryUsage.rss();
const startedAt = performance.now();
const made = await makeCheckpoint(app);
const ms = performance.now() - startedAt;
// Of the whole life of the process, in KiB.
const peakBytes = process.resourceUsage().maxRSS * 1_024;
console.log(JSON.stringify({ idleBytes, peakBytes, ms, made }));
process.exit(0);
