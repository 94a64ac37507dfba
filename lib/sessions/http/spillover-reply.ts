/** What a pass has done, as it is sent. */
import type { SpillReport } from '../spillover/pass/spill-pass.ts';
import type { SpillRunResponse } from './spillover-contract.ts';

export const toRunReply = (report: SpillReport, dry: boolean): SpillRunResponse => ({
  dry_run: dry,
  busy: report.busy,
  finished: report.finished,
  store_failed: report.storeFailed,
  tenants: report.tenants,
  unreadable_tenants: report.unreadable,
  failed_tenants: report.failed,
  budget_bytes: report.budgetBytes,
  threshold_bytes: report.thresholdBytes,
  hot_bytes_before: report.hotBytesBefore,
  hot_bytes: report.hotBytes,
  spilled: report.spilled,
  freed_bytes: report.freedBytes,
  passed_over: report.passedOver,
  lowered_shares: report.lowered,
  restored: report.restored,
});
