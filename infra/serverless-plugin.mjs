// Ties the Serverless Framework to our build. functions.yml names sources; here each becomes its zip (package, deploy)
// or its folder in dist/ (invoke local). Plain JavaScript: the framework may be run by a Node that reads no TypeScript.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fillEvent } from './invoke-event.mjs';

/** Settings of the machine that would lead a local call past the stack: another Redis, another AWS account. */
const FOREIGN = ['REDIS_URL', 'UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN', 'AWS_PROFILE', 'AWS_SESSION_TOKEN'];

/** The framework calls this with `new`. */
// biome-ignore lint/style/noDefaultExport: it is how the framework finds a plugin
export default function riptidePlugin(serverless, options) {
  const root = serverless.serviceDir;
  const fail = (message, code) => {
    throw new serverless.classes.Error(message, code);
  };
  const local = localCall(serverless, options, fail);
  const packageFunctions = (names) => {
    build(root, names, fail);
    for (const name of names) {
      const entry = serverless.service.getFunction(name);
      entry.handler = 'index.handler';
      entry.package = { artifact: `dist/${name}.zip` };
    }
  };
  return {
    hooks: {
      initialize: local.forgetDeployedSettings,
      'before:package:createDeploymentArtifacts': () => packageFunctions(serverless.service.getAllFunctions()),
      'before:deploy:function:packageFunction': () => packageFunctions([options.function]),
      'before:invoke:local:invoke': local.prepare,
      'after:invoke:local:invoke': local.end,
    },
  };
}

/** `invoke local`: with the settings of the running stack, which stay in this process and never get into a package. */
function localCall({ service, serviceDir, processedInput }, options, fail) {
  const dataDir = resolve(serviceDir, process.env.RIPTIDE_DATA_DIR || '.data');
  return {
    // Before the framework reads them: the deployed settings name things in AWS, and it would go and ask there.
    forgetDeployedSettings() {
      if (processedInput.commands.join(' ') !== 'invoke local') return;
      service.provider.environment = {};
      for (const entry of Object.values(service.functions)) entry.environment = {};
      useSettings(runningStack(dataDir, fail));
    },
    async prepare() {
      const settings = runningStack(dataDir, fail);
      build(serviceDir, [options.function], fail);
      // Not `index`, which waits for it (build/lambda-entry.ts): the framework loads with `require`.
      service.getFunction(options.function).handler = `dist/${options.function}/main.handler`;
      options.data = await fillEvent(options.data, { settings, dataDir });
      // Again: meanwhile the framework has put the machine's own AWS credentials there.
      useSettings(settings);
    },
    // Lambda freezes a function that has answered; here its connection to Redis would keep the process alive.
    end() {
      process.exit();
    },
  };
}

function build(root, names, fail) {
  const own = join(root, 'node_modules/.bin/node');
  const node = existsSync(own) ? own : process.execPath;
  const args = [join(root, 'infra/build.ts'), ...names];
  const { status, stdout, stderr } = spawnSync(node, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) fail(`The build failed.\n${stdout}${stderr}`, 'RIPTIDE_BUILD_FAILED');
}

function useSettings(settings) {
  for (const name of FOREIGN) delete process.env[name];
  Object.assign(process.env, settings);
}

function runningStack(dataDir, fail) {
  const file = join(dataDir, 'env.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'));
  return fail(
    `No local stack is running (there is no ${file}).\n` +
      'Start one with "npm start" in another terminal, or name its folder in RIPTIDE_DATA_DIR.',
    'RIPTIDE_NO_STACK',
  );
}
