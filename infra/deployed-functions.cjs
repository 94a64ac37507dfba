// The functions of serverless.yml: infra/functions.yml, with the endpoints that share one put together. The decision is in
// infra/build/deployed-functions.ts; the framework reads CommonJS, and may be run by a Node that reads no TypeScript.
const { execFileSync } = require('node:child_process');
const { existsSync } = require('node:fs');
const { join } = require('node:path');

module.exports = () => {
  const own = join(__dirname, '../node_modules/.bin/node');
  const node = existsSync(own) ? own : process.execPath;
  return JSON.parse(execFileSync(node, [join(__dirname, 'build/print-functions.ts')], { encoding: 'utf8' }));
};
