/** Files that state settings at run time: the one in S3, one that is watched, or text of a request. */
import type { Environment } from '../config/environment-layer.ts';
import { fileLayer } from '../config/file-layer.ts';
import type { Layer } from '../config/layer.ts';
import { SETTINGS } from '../config/schema.ts';
import type { Issue } from '../errors.ts';
import { isVersioned, settingAt } from './settings.ts';

/** A file that states settings. */
export interface StatedFile {
  readonly layer: Layer;
  readonly issues: readonly Issue[];
  /** Settings it states that are the deployment's: it cannot change them. */
  readonly ignored: readonly string[];
}

/**
 * Reads it. No secret of the environment can be put into a setting by it, for settings can be read by the API. What it says of
 * settings of the deployment is not judged: a start with this file would do that.
 */
export function readStatedFile(file: { readonly text: string; readonly name: string }, env: Environment): StatedFile {
  const issues: Issue[] = [];
  const layer = fileLayer(file, withoutSecrets(env), issues);
  const isOurs = (path: string) => settingAt(path) === undefined || isVersioned(path);
  const ignored = [...layer.keys()].filter((path) => !isVersioned(path));
  return { layer, issues: issues.filter(({ field }) => isOurs(field)), ignored };
}

const SECRET_NAME = /^AWS_|SECRET|TOKEN|PASSWORD|CREDENTIAL|KEY/i;
const SECRET_VARIABLES = new Set(
  SETTINGS.filter(({ secret }) => secret !== undefined).flatMap(({ variable, aliases = [] }) => [variable, ...aliases]),
);

const withoutSecrets = (env: Environment): Environment =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !SECRET_NAME.test(name) && !SECRET_VARIABLES.has(name)));
