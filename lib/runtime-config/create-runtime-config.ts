/** Puts together what administration does about the configuration. */
import type { AdministrationDeps } from '../administration.ts';
import { createActivation } from './activation.ts';
import { createConfigVersions } from './config-versions.ts';
import { readFileNow } from './read-file-now.ts';
import { createReload } from './reload.ts';
import { createRuntimeConfig } from './runtime-config.ts';
import { NO_PARTS } from './settings.ts';
import { createVersionStore } from './version-store.ts';

export function createConfigServices(deps: AdministrationDeps) {
  const { blobs, start, configLook, telemetry, now } = deps;
  const { sources, parts: started = NO_PARTS } = start;
  const store = createVersionStore(deps);
  const activation = createActivation({ store, now });
  const runtimeConfig = createRuntimeConfig({ activation, sources, started, takeNow: configLook.now, now });
  return {
    runtimeConfig,
    configReload: createReload({ runtimeConfig, blobs, sources, readFile: readFileNow, telemetry }),
    configVersions: createConfigVersions({ activation, store, sources }),
  };
}
