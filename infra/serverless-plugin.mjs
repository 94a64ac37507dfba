// Ties the Serverless Framework to our build. functions.yml names sources; here each becomes its zip (package, deploy)
// or its folder in dist/ (invoke local). Plain JavaScript: the framework may be run by a Node that reads no TypeScript.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The framework calls this with `new`. */
// biome-ignore lint/style/noDefaultExport: it is how the framework finds a plugin
export default function riptidePlugin(serverless, options) {
  const root = serverless.serviceDir;
  const failure = (message, code) => new serverless.classes.Error(message, code);

  const packageFunctions = (names) => {
    build(root, names, failure);
    for (const name of names) {
      const entry = serverless.service.functions[name];
      entry.handler = 'index.handler';
      entry.package = { artifact: `dist/${name}.zip` };
    }
  };

  const isInvokeLocal = serverless.processedInput.commands.join(' ') === 'invoke local';

  // The deployed settings name things in AWS; a local call uses those of the running stack, and only in this process.
  const forgetDeployedSettings = () => {
    if (!isInvokeLocal) return;
    serverless.service.provider.environment = {};
    for (const entry of Object.values(serverless.service.functions)) entry.environment = {};
    useSettings(runningStack(root, failure));
  };

  const prepareInvoke = () => {
    build(root, [options.function], failure);
    serverless.service.getFunction(options.function).handler = `dist/${options.function}/index.handler`;
    // Again: meanwhile the framework has put the machine's own AWS credentials there.
    useSettings(runningStack(root, failure));
  };

  return {
    hooks: {
      'before:package:createDeploymentArtifacts': () => packageFunctions(serverless.service.getAllFunctions()),
      'before:deploy:function:packageFunction': () => packageFunctions([options.function]),
      initialize: forgetDeployedSettings,
      'before:invoke:local:invoke': prepareInvoke,
    },
  };
}

function build(root, names, failure) {
  const own = join(root, 'node_modules/.bin/node');
  const node = existsSync(own) ? own : process.execPath;
  const { status, stdout, stderr } = spawnSync(node, [join(root, 'infra/build.ts'), ...names], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) throw failure(`The build failed.\n${stdout}${stderr}`, 'RIPTIDE_BUILD_FAILED');
}

function useSettings(settings) {
  delete process.env.AWS_PROFILE;
  delete process.env.AWS_SESSION_TOKEN;
  Object.assign(process.env, settings);
}

function runningStack(root, failure) {
  const file = resolve(root, process.env.RIPTIDE_DATA_DIR ?? '.data', 'env.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'));
  throw failure(
    `No local stack is running (there is no ${file}).\n` +
      'Start one with "npm start" in another terminal, or name its folder in RIPTIDE_DATA_DIR.',
    'RIPTIDE_NO_STACK',
  );
}
