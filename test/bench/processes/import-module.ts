/** Imports the module of its argument and says how long that took, in ms. */
import { pathToFileURL } from 'node:url';

const url = pathToFileURL(process.argv[2] ?? '').href;
const startedAt = performance.now();
await import(url);
const tookMs = performance.now() - startedAt;
console.log(JSON.stringify(tookMs));
process.exit(0);
