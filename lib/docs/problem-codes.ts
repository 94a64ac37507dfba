/** Every code a problem may have: its status, and what it means for the caller. A test holds it against lib/errors.ts. */

export interface ProblemCodeSpec {
  readonly status: number;
  readonly meaning: string;
}

export const PROBLEM_CODES = {
  invalid_request: { status: 400, meaning: 'A part of the request does not fit; `errors` names each bad field.' },
  invalid_json: { status: 400, meaning: 'The body is not the JSON it says it is, or nests too deep.' },
  key_missing: { status: 401, meaning: 'No key was sent as `Authorization: Bearer …`.' },
  key_unknown: { status: 401, meaning: 'The key is not known.' },
  key_expired: { status: 401, meaning: 'The key has expired.' },
  key_revoked: { status: 401, meaning: 'The key was revoked.' },
  wrong_key_kind: { status: 403, meaning: 'A tenant key where the admin key belongs, or the other way round.' },
  scope_missing: { status: 403, meaning: 'The key lacks the scope that `details` names.' },
  access_denied: { status: 403, meaning: 'A policy of the tenant denies this action on this resource.' },
  tenant_suspended: { status: 403, meaning: 'The tenant is suspended.' },
  tenant_deleted: { status: 403, meaning: 'The tenant was deleted; until it is erased, that can be undone.' },
  route_not_found: { status: 404, meaning: 'No endpoint has this method and path.' },
  tenant_not_found: { status: 404, meaning: 'No such tenant.' },
  entry_not_found: { status: 404, meaning: 'No such entry, or it has expired.' },
  session_not_found: { status: 404, meaning: 'No such session: unknown, expired or ended.' },
  key_not_found: { status: 404, meaning: 'The tenant has no such API key.' },
  quota_request_not_found: { status: 404, meaning: 'The tenant has no such quota request.' },
  reservation_not_found: { status: 404, meaning: 'No such reservation: settled, out of time, or never made.' },
  job_not_found: { status: 404, meaning: 'No such job, or it ended more than 7 days ago.' },
  export_not_found: { status: 404, meaning: 'No such export of this tenant, or it was made more than 7 days ago.' },
  config_version_not_found: { status: 404, meaning: 'No such version of the configuration.' },
  checkpoint_not_found: { status: 404, meaning: 'No such checkpoint: it was removed, or never made.' },
  invoice_not_found: { status: 404, meaning: 'The tenant has no bill for that month: it was not there.' },
  billing_disabled: { status: 409, meaning: 'Nothing is priced in this deployment: `tenant.enable_billing` is off.' },
  adjustment_limit_reached: { status: 409, meaning: 'The tenant has as many corrections as it may.' },
  tenant_limit_reached: { status: 409, meaning: 'The deployment holds as many tenants as it may.' },
  encryption_unavailable: { status: 409, meaning: 'Encryption was asked for and this deployment has no key provider.' },
  key_limit_reached: { status: 409, meaning: 'The tenant holds as many API keys as it may.' },
  webhook_not_set: { status: 409, meaning: 'There is no webhook to send to; `details.problem` says what is missing.' },
  deletion_pending: { status: 409, meaning: 'The tenant is deleted; undelete it first.' },
  tenant_not_deleted: { status: 409, meaning: 'The tenant is not deleted: there is nothing to undo.' },
  quota_below_usage: { status: 409, meaning: 'The quota is below what is in use; `force` sets it all the same.' },
  key_not_active: { status: 409, meaning: 'The API key is revoked or has expired.' },
  key_already_made: {
    status: 409,
    meaning: 'The key was made, and its secret given, by an earlier call of this operation.',
  },
  reservation_too_small: { status: 409, meaning: 'Less was reserved than is committed; it stands as it was.' },
  reservation_limit_reached: { status: 409, meaning: 'As many reservations are open as may be.' },
  release_too_large: { status: 409, meaning: 'Less was committed than is given back. Nothing was changed.' },
  quota_request_closed: { status: 409, meaning: 'The quota request was approved or rejected before.' },
  quota_request_limit_reached: { status: 409, meaning: 'The tenant has as many open quota requests as it may.' },
  job_ended: { status: 409, meaning: 'The job is done or has failed: there is nothing to cancel.' },
  reclaim_behind: {
    status: 503,
    meaning: 'Too much was invalidated and waits to be reclaimed; `Retry-After` says when to repeat it.',
  },
  checkpoint_foreign: {
    status: 409,
    meaning: 'Another deployment wrote the checkpoint: its tenants are none of this one’s. Nothing was changed.',
  },
  checkpoint_running: {
    status: 409,
    meaning: 'Another checkpoint or restore is under way; `details.job` is its job: follow that, then try again.',
  },
  job_limit_reached: { status: 409, meaning: 'As many jobs wait or run as may: try again when some have ended.' },
  idempotency_in_progress: { status: 409, meaning: 'The first request with this Idempotency-Key still runs.' },
  tenant_erased: { status: 410, meaning: 'The tenant was erased, or its time to be undeleted is over.' },
  encryption_off: { status: 409, meaning: 'The tenant is not encrypted, so it has no data key to rotate.' },
  data_key_limit_reached: { status: 409, meaning: 'The tenant has 100 data keys; none can be added.' },
  not_a_number: { status: 409, meaning: 'The stored entry is no whole number. Nothing was changed.' },
  number_out_of_range: { status: 409, meaning: 'The number would leave ±(2^53 − 1). Nothing was changed.' },
  contended: { status: 409, meaning: 'Others changed the entry each time this was tried: try again.' },
  version_conflict: {
    status: 409,
    meaning: 'The session was changed since that version; `details.current_version` is its own. Nothing was changed.',
  },
  precondition_failed: { status: 412, meaning: 'If-Match or If-None-Match does not hold. Nothing was changed.' },
  lease_lost: {
    status: 412,
    meaning: 'The lease is over, or the entry was written or invalidated since. Nothing was stored: read it again.',
  },
  upload_gone: {
    status: 410,
    meaning: 'Nothing was uploaded under this id, or it was used, or its time is over. Begin again.',
  },
  session_exists: { status: 409, meaning: 'There is a session with this id already. Nothing was changed.' },
  session_terminated: {
    status: 409,
    meaning: 'The session with this id was terminated, and cannot come back. Make one with another id.',
  },
  session_lost: { status: 410, meaning: 'The session was moved to S3 and is gone from there. It is lost.' },
  upload_mismatch: { status: 422, meaning: 'What was uploaded is not as long as was announced. Nothing was stored.' },
  body_too_large: { status: 413, meaning: 'The body is larger than this endpoint takes.' },
  reply_too_large: { status: 413, meaning: 'The answer would not fit into one reply.' },
  unsupported_media_type: { status: 415, meaning: 'The type or encoding of the body is not one this endpoint takes.' },
  idempotency_key_reused: { status: 422, meaning: 'This Idempotency-Key was used for another request.' },
  rate_limited: {
    status: 429,
    meaning: 'Calls come faster than the tenant, its key or the route may (`limited_by`). Nothing was changed.',
  },
  quota_exceeded: { status: 429, meaning: 'A quota that resets is used up. Nothing was changed.' },
  internal: { status: 500, meaning: 'A fault on our side.' },
  config_refused: {
    status: 422,
    meaning: 'The configuration cannot be used: `errors` names each bad setting. The one before goes on.',
  },
  config_canary_running: {
    status: 409,
    meaning: 'A configuration is being tried with some tenants: activate it, or the one before, first.',
  },
  config_invalid: { status: 500, meaning: 'The deployment is configured wrongly; its log says how.' },
  store_error: { status: 500, meaning: 'The store refused an operation.' },
  master_key_mismatch: { status: 500, meaning: 'The master key is not the one that data was encrypted under.' },
  checkpoint_format_unknown: { status: 422, meaning: 'A newer version wrote the checkpoint. Nothing was changed.' },
  value_corrupt: { status: 500, meaning: 'The stored value failed its check and was not served.' },
  session_corrupt: { status: 500, meaning: 'The session as it stands in S3 failed its check and was not served.' },
  store_unavailable: { status: 503, meaning: 'The store cannot be reached now. Nothing was changed.' },
  blob_store_unavailable: { status: 503, meaning: 'The store of large values cannot be reached now.' },
  key_provider_unavailable: { status: 503, meaning: 'The keeper of encryption keys cannot be reached now.' },
  key_refused: { status: 503, meaning: 'The encryption key is disabled or refused. Waiting does not help.' },
  job_kind_unknown: { status: 503, meaning: 'Of a job: this version of the service does not know its kind.' },
  job_abandoned: { status: 503, meaning: 'Of a job: a step was begun five times and never ended.' },
  job_step_timeout: { status: 503, meaning: 'Of a job: a step took longer than 30 seconds, five times.' },
  outcome_unknown: { status: 503, meaning: 'The write was sent and its reply was lost. Repeating it is safe.' },
  load_timeout: { status: 504, meaning: 'The value was not loaded in the time that was given for it.' },
  deadline_exceeded: { status: 504, meaning: 'Time ran out. What was sent may still be applied.' },
  memory_full: { status: 507, meaning: "The tenant's memory is full. Waiting does not help; removing does." },
  storage_full: { status: 507, meaning: "The tenant's storage is full. Waiting does not help; removing does." },
  store_full: { status: 507, meaning: "The deployment's store is full. Waiting does not help." },
  session_memory_full: {
    status: 507,
    meaning: 'The memory for sessions is full and none could be moved to S3; `Retry-After` says when to repeat it.',
  },
} as const satisfies Readonly<Record<string, ProblemCodeSpec>>;

export type ProblemCode = keyof typeof PROBLEM_CODES;

/** @returns undefined for a code this version does not know. */
export const findProblemCode = (code: string): ProblemCodeSpec | undefined =>
  Object.hasOwn(PROBLEM_CODES, code) ? PROBLEM_CODES[code as ProblemCode] : undefined;
