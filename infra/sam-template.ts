/**
 * `node infra/sam-template.ts` writes infra/template.json, for `sam local invoke` and `sam local start-api`: SAM cannot
 * run what the Serverless Framework generates. Deployments never use it. docs/runbook.md shows the commands.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What `serverless print --format json` says, as far as SAM needs it. */
export interface PrintedService {
  readonly provider: {
    readonly runtime: string;
    readonly architecture: string;
    readonly memorySize: number;
    readonly timeout: number;
    readonly environment: Readonly<Record<string, unknown>>;
  };
  readonly functions: Readonly<Record<string, PrintedFunction>>;
}

interface PrintedFunction {
  readonly timeout?: number;
  readonly memorySize?: number;
  readonly events?: readonly PrintedEvent[];
}

interface PrintedEvent {
  readonly httpApi?: string;
  readonly schedule?: { readonly rate: readonly string[] };
}

// SAM passes only variables the template names: what the local stack sets beside the deployed settings.
const LOCAL_SETTINGS = [
  'REDIS_URL',
  'PERSISTENCE_BLOBS_ENDPOINT',
  'PERSISTENCE_BLOBS_REGION',
  'PERSISTENCE_BLOBS_FORCE_PATH_STYLE',
  'PERSISTENCE_ENCRYPTION_KMS_ENDPOINT',
];

/** The template as text. The same service gives the same bytes, on every machine. */
export function samTemplate({ provider, functions }: PrintedService): string {
  const Variables = Object.fromEntries(
    [...Object.keys(provider.environment), ...LOCAL_SETTINGS].map((name) => [name, '']),
  );
  const Resources = Object.fromEntries(
    Object.entries(functions).map(([key, entry]) => [`${pascal(key)}LambdaFunction`, samFunction(key, entry)]),
  );
  const { runtime, architecture, memorySize, timeout } = provider;
  const template = {
    AWSTemplateFormatVersion: '2010-09-09',
    Transform: 'AWS::Serverless-2016-10-31',
    Description: 'For "sam local" only; written by infra/sam-template.ts',
    Globals: {
      Function: {
        Runtime: runtime,
        Architectures: [architecture],
        Handler: 'index.handler',
        MemorySize: memorySize,
        Timeout: timeout,
        Environment: { Variables },
      },
    },
    Resources,
  };
  return `${JSON.stringify(template, null, 2)}\n`;
}

/** Reads serverless.yml as the framework does, with an environment that holds nothing of this machine's settings. */
export function printService(root: string): PrintedService {
  const { PATH, HOME } = process.env;
  const cli = join(root, 'node_modules/serverless/bin/serverless.js');
  const printed = execFileSync(process.execPath, [cli, 'print', '--format', 'json'], {
    cwd: root,
    env: { PATH, HOME },
  });
  return JSON.parse(printed.toString('utf8'));
}

function samFunction(key: string, { timeout, memorySize, events = [] }: PrintedFunction) {
  return {
    Type: 'AWS::Serverless::Function',
    Properties: {
      FunctionName: key,
      // From this template's own folder.
      CodeUri: `../dist/${key}/`,
      ...(memorySize === undefined ? {} : { MemorySize: memorySize }),
      ...(timeout === undefined ? {} : { Timeout: timeout }),
      Events: Object.fromEntries(events.flatMap(samEvents)),
    },
  };
}

function samEvents({ httpApi, schedule }: PrintedEvent, index: number): readonly [string, object][] {
  if (httpApi === undefined) {
    const rates = schedule?.rate ?? [];
    return rates.map((rate, nth) => [`Schedule${index}x${nth}`, { Type: 'Schedule', Properties: { Schedule: rate } }]);
  }
  const [Method, Path] = httpApi.split(' ');
  // Without method and path SAM makes the $default route.
  const route = httpApi === '*' ? {} : { Method, Path };
  return [[`Http${index}`, { Type: 'HttpApi', Properties: { ...route, PayloadFormatVersion: '2.0' } }]];
}

const pascal = (key: string): string => key.charAt(0).toUpperCase() + key.slice(1);

if (process.argv[1] === import.meta.filename) {
  const root = join(import.meta.dirname, '..');
  writeFileSync(join(root, 'infra/template.json'), samTemplate(printService(root)));
}
