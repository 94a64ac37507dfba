import { changeReply } from './config-versions.ts';
import type { ReloadResponse } from './contract.ts';
import type { ConfigOutcome } from './runtime-config.ts';

/** What a change of the configuration answers. */
export function reloadReply(
  {
    standing,
    version,
    changes,
    restartRequired,
    ignored = [],
  }: ConfigOutcome & { readonly ignored?: readonly string[] },
  dryRun: boolean,
): ReloadResponse {
  const { rev, canary } = standing;
  return {
    changed: version !== null,
    dry_run: dryRun,
    version,
    active: { version: standing.version, rev },
    canary: canary === null ? null : { version: canary.version, tenant_share: canary.share },
    changes: changes.map(changeReply),
    restart_required: [...restartRequired],
    ignored: [...ignored],
  };
}
