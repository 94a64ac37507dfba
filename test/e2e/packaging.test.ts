import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuiltFunction, buildFunctions } from '../../infra/build/build-functions.ts';
import { deployedFunctions } from '../../infra/build/deployed-functions.ts';
import { readFunctionList } from '../../infra/build/function-list.ts';
import { findAddon } from '../../infra/build/native-addon.ts';
import { overBudget } from '../../infra/build/report.ts';
import { printService, samTemplate } from '../../infra/sam-template.ts';
import { cleanClone } from '../support/clean-clone.ts';
import { zipEntries } from '../support/zip-entries.ts';

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

const root = join(import.meta.dirname, '../..');
const functions = deployedFunctions(readFunctionList(root));
/** One of its own with everything a bundle can hold, one that many endpoints share, one by the clock. */
const BUILT_TWICE = ['cacheGetEntry', 'adminWriter', 'schedulesCleanUp'];
const SECRET = 'planted-secret-3f9a1c';
const NOWHERE = 'http://127.0.0.1:1';

let scratch: string;
let clone: ReturnType<typeof cleanClone>;
let built: readonly BuiltFunction[];
let output: string;
let template: { readonly Resources: Readonly<Record<string, Resource>> };

const ofType = (type: string) => Object.values(template.Resources).filter((resource) => resource.Type === type);
/** Of roles that may start functions. */
const startPolicies = () =>
  Object.entries(template.Resources).flatMap(([role, { Properties }]) =>
    ((Properties?.Policies ?? []) as readonly object[])
      .map((policy) => ({ role, text: JSON.stringify(policy) }))
      .filter(({ text }) => text.includes('"lambda:')),
  );
const zipOf = (folder: string, key: string) => readFileSync(join(folder, `${key}.zip`));

/** No AWS settings, an empty home, no way to a registry; a running stack's settings lie about. */
function packageClone(home: string): string {
  mkdirSync(home);
  mkdirSync(join(clone.path, '.data'));
  writeFileSync(
    join(clone.path, '.data/env.json'),
    JSON.stringify({ REDIS_URL: SECRET, UPSTASH_REDIS_REST_TOKEN: SECRET }),
  );
  const env = {
    PATH: `${root}/node_modules/.bin:${process.env.PATH}`,
    HOME: home,
    npm_config_registry: NOWHERE,
    HTTPS_PROXY: NOWHERE,
    HTTP_PROXY: NOWHERE,
    REDIS_URL: SECRET,
    UPSTASH_REDIS_REST_TOKEN: SECRET,
    RIPTIDE_ADMIN_KEY: SECRET,
  };
  return execFileSync('serverless', ['package'], { cwd: clone.path, env, encoding: 'utf8', stdio: 'pipe' });
}

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'riptide-packaging-'));
  // As npm start or an earlier build leaves it; a clone without it needs the registry once.
  findAddon(root, { platform: 'linux', arch: 'arm64' });
  clone = cleanClone();
  output = packageClone(join(scratch, 'home'));
  template = JSON.parse(
    readFileSync(join(clone.path, '.serverless/cloudformation-template-update-stack.json'), 'utf8'),
  );
  const again = functions.filter(({ key }) => BUILT_TWICE.includes(key));
  built = await buildFunctions({ root, outDir: join(scratch, 'dist'), functions: again, architecture: 'arm64' });
}, 120_000);

afterAll(() => {
  clone.remove();
  rmSync(scratch, { recursive: true, force: true });
});

describe('serverless package on a clean clone', () => {
  it('needs no login, no credentials and no network, and builds by itself', () => {
    expect(output).not.toMatch(/log ?in|credential/i);
    expect(readdirSync(join(clone.path, 'dist')).filter((name) => name.endsWith('.zip'))).toHaveLength(
      functions.length,
    );
  });

  it('makes a function on Node 24 of each that infra/functions.yml makes, and of nothing else', () => {
    const lambdas = ofType('AWS::Lambda::Function');
    expect(lambdas.map(({ Properties }) => Properties.FunctionName).sort()).toEqual(
      functions.map(({ key }) => `riptide-dev-${key}`).sort(),
    );
    for (const { Properties } of lambdas) {
      expect(Properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'], Handler: 'index.handler' });
    }
  });

  it('stays far enough below the 500 resources CloudFormation takes', () => {
    expect(Object.keys(template.Resources).length).toBeLessThanOrEqual(450);
    expect(ofType('AWS::Lambda::Version')).toEqual([]);
  });

  it('gives each function a role of its access profile, and no role everything', () => {
    const roles = Object.keys(template.Resources).filter((name) => template.Resources[name]?.Type === 'AWS::IAM::Role');
    expect(roles.sort()).toEqual(['DataReaderRole', 'DataWriterRole', 'LogsOnlyRole', 'ScheduleRole']);
    const text = JSON.stringify(ofType('AWS::IAM::Role'));
    expect(text).not.toMatch(/"(Action|Resource)":\[?"(\*|\w+:\*)"/);
  });

  it.each([
    { setting: 'RIPTIDE_SPILL_FUNCTION', policy: 'start-spill', roles: ['DataWriterRole'] },
    {
      setting: 'RIPTIDE_JOBS_FUNCTION',
      policy: 'start-jobs',
      roles: ['DataReaderRole', 'DataWriterRole', 'ScheduleRole'],
    },
  ])('lets $roles start the function of $setting', ({ setting, policy, roles }) => {
    const [environment] = ofType('AWS::Lambda::Function').map(({ Properties }) =>
      JSON.stringify(Properties.Environment),
    );
    const [, name] = new RegExp(`"${setting}":"([^"]+)"`).exec(environment ?? '') ?? [];
    const may = startPolicies().filter(({ text }) => text.includes(`"PolicyName":"${policy}"`));
    expect(may.map(({ role }) => role)).toEqual(roles);
    for (const { text } of may)
      expect(text).toMatch(
        new RegExp(`"Action":"lambda:InvokeFunction","Resource":{"Fn::Sub":"arn:[^"]*:function:${name}"}`),
      );
  });

  it('lets nobody start another function', () => {
    const named = startPolicies().map(({ text }) => /"PolicyName":"([^"]+)"/.exec(text)?.[1]);
    expect(new Set(named)).toEqual(new Set(['start-jobs', 'start-spill']));
  });

  it('keeps the data private, encrypted, and when the stack goes', () => {
    const { DataBucket, DataKey } = template.Resources;
    expect(DataBucket).toMatchObject({
      DeletionPolicy: 'Retain',
      Properties: {
        PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true },
      },
    });
    expect(JSON.stringify(DataBucket)).toContain('"SSEAlgorithm":"aws:kms"');
    expect(DataKey).toMatchObject({ DeletionPolicy: 'Retain', Properties: { EnableKeyRotation: true } });
  });
});

describe('what the bucket does by itself [P6]', () => {
  it('moves spilled sessions to cheaper classes that are read at once, deletes none, and ends abandoned uploads', () => {
    const { LifecycleConfiguration } = template.Resources.DataBucket?.Properties ?? expect.fail();
    const { Rules } = LifecycleConfiguration as { readonly Rules: readonly { readonly Prefix?: string }[] };
    const ofSessions = Rules.filter(({ Prefix = '' }) => 'sessions/spillover/'.startsWith(Prefix));
    expect(ofSessions).toEqual([
      { Id: 'abandoned-uploads', Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
      {
        Id: 'sessions-by-age',
        Status: 'Enabled',
        Prefix: 'sessions/spillover/',
        Transitions: [
          { StorageClass: 'STANDARD_IA', TransitionInDays: 30 },
          { StorageClass: 'GLACIER_IR', TransitionInDays: 90 },
        ],
      },
    ]);
  });
});

describe('alarms as code', () => {
  it('tells one topic of errors, slow requests, throttles and dead letters, and of their end', () => {
    const alarms = ofType('AWS::CloudWatch::Alarm');
    expect(alarms).toHaveLength(11);
    for (const { Properties } of alarms) {
      expect(Properties).toMatchObject({ AlarmActions: [{ Ref: 'AlarmTopic' }], OKActions: [{ Ref: 'AlarmTopic' }] });
    }
  });
});

describe('what is deployed', () => {
  it('is the same bytes from another folder, at another time', () => {
    for (const { key } of built)
      expect(zipOf(join(clone.path, 'dist'), key).equals(zipOf(join(scratch, 'dist'), key)), key).toBe(true);
  });

  it('holds no setting of this machine and no path of it', () => {
    const deployed = readdirSync(join(clone.path, '.serverless')).map((name) => join(clone.path, '.serverless', name));
    const bundles = readdirSync(join(clone.path, 'dist'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      /\.js(on)?$/.test(name),
    );
    for (const file of [...deployed, ...bundles.map((name) => join(clone.path, 'dist', name))]) {
      const text = readFileSync(file, 'latin1');
      for (const own of [SECRET, root, clone.path, scratch, `${homedir()}/`])
        expect(text.includes(own), `${own} in ${file}`).toBe(false);
    }
  });

  it('has the native addon of its own CPU and no other', () => {
    const addons = new Set(
      built
        .flatMap(({ zipFile }) => zipEntries(readFileSync(zipFile)).map(({ name }) => name))
        .filter((name) => name.endsWith('.node')),
    );
    expect([...addons]).toEqual(['lz4-linux-arm64.node']);
  });

  it('has one time on every file', () => {
    const times = new Set(
      built.flatMap(({ zipFile }) => zipEntries(readFileSync(zipFile)).map(({ modified }) => modified)),
    );
    expect(times.size).toBe(1);
  });

  it('reads no more at a cold start than its budget', () => {
    expect(overBudget(built)).toEqual([]);
  });
});

describe('infra/template.json for sam local', () => {
  it('is what serverless.yml says now', () => {
    const committed = readFileSync(join(root, 'infra/template.json'), 'utf8');
    expect(samTemplate(printService(root))).toBe(committed);
    expect(samTemplate(printService(clone.path))).toBe(committed);
  });
});
