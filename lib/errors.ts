/**
 * Every error this service throws on purpose. A caller tells them apart by `code` (stable, part of the API), never by
 * `message`. Anything that is not an AppError is a bug: the door answers 500 `internal` and hides it.
 */
export abstract class AppError extends Error {
  /** Stable, snake_case, sent as the problem's `code`. */
  abstract readonly code: string;
  /** HTTP status the door answers with. */
  abstract readonly status: number;
  /** Facts for the caller and the log: never values, secrets or whole keys. */
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
  /** Milliseconds to wait before trying again; sent as `Retry-After`, rounded up to seconds. Undefined: do not retry. */
  readonly retryAfterMs: number | undefined;
  /** What is wrong with each field, for `errors` in the problem. */
  readonly issues: readonly Issue[] | undefined;

  constructor(message: string, context: ErrorContext = {}) {
    super(message, { cause: context.cause });
    this.name = new.target.name;
    this.details = context.details ?? {};
    this.retryAfterMs = context.retryAfterMs;
    this.issues = context.issues;
  }
}

/** An error with one of several codes. */
abstract class CodedError<Code extends string> extends AppError {
  override readonly code: Code;

  constructor(code: Code, message: string, context?: ErrorContext) {
    super(message, context);
    this.code = code;
  }
}

/** One bad field: where it is (`body.owner.email`) and what was expected. Never its value. */
export interface Issue {
  readonly field: string;
  readonly message: string;
}

export interface ErrorContext {
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
  readonly retryAfterMs?: number;
  readonly issues?: readonly Issue[];
  readonly cause?: unknown;
}

/** The configuration cannot be used. `issues` names every bad setting at once, and no value. */
export class ConfigError extends AppError {
  override readonly code = 'config_invalid';
  override readonly status = 500;
}

/** A configuration that was asked for cannot be used; `issues` names every bad setting at once. The old one stays. */
export class ConfigRefusedError extends AppError {
  override readonly code = 'config_refused';
  override readonly status = 422;
}

/** A new configuration is being tried with some tenants: it must be promoted or given up first. Nothing was changed. */
export class ConfigCanaryError extends AppError {
  override readonly code = 'config_canary_running';
  override readonly status = 409;
}

// --- the request -----------------------------------------------------------------------------------------------------

/** The request does not fit its schema; `issues` names each bad field. */
export class InvalidRequestError extends AppError {
  override readonly code = 'invalid_request';
  override readonly status = 400;
}

/** The body is not the JSON it says it is, or nests deeper than allowed. */
export class InvalidJsonError extends AppError {
  override readonly code = 'invalid_json';
  override readonly status = 400;
}

/** The body's type or encoding is not one this route takes. */
export class UnsupportedMediaTypeError extends AppError {
  override readonly code = 'unsupported_media_type';
  override readonly status = 415;
}

/** The body is larger than this route takes. */
export class BodyTooLargeError extends AppError {
  override readonly code = 'body_too_large';
  override readonly status = 413;
}

/** The answer would not fit into one Lambda reply. */
export class ReplyTooLargeError extends AppError {
  override readonly code = 'reply_too_large';
  override readonly status = 413;
}

/** No endpoint has this method and path. */
export class RouteNotFoundError extends AppError {
  override readonly code = 'route_not_found';
  override readonly status = 404;
}

// --- who may ---------------------------------------------------------------------------------------------------------

/** No key, an unknown one, or one that has expired or was revoked: `code` says which. */
export class UnauthorizedError extends AppError {
  override readonly code: 'key_missing' | 'key_unknown' | 'key_expired' | 'key_revoked';
  override readonly status = 401;

  constructor(code: UnauthorizedError['code']) {
    super(
      {
        key_missing: 'Send the key as "Authorization: Bearer <key>"',
        key_unknown: 'This key is not known',
        key_expired: 'This key has expired; ask an administrator for a new one',
        key_revoked: 'This key was revoked; ask an administrator for a new one',
      }[code],
    );
    this.code = code;
  }
}

/** A known key that may not do this: of the wrong kind, without the scope, denied by a policy; or its tenant is out of use. */
export class ForbiddenError extends CodedError<
  'wrong_key_kind' | 'scope_missing' | 'access_denied' | 'tenant_suspended' | 'tenant_deleted'
> {
  override readonly status = 403;
}

// --- limits ----------------------------------------------------------------------------------------------------------

/** Calls come faster than the tenant, its key or the route may: `limited_by`. Nothing was changed. */
export class RateLimitedError extends AppError {
  override readonly code = 'rate_limited';
  override readonly status = 429;
}

/** The tenant has used up a quota that resets. Nothing was changed. */
export class QuotaExceededError extends AppError {
  override readonly code = 'quota_exceeded';
  override readonly status = 429;
}

/**
 * Memory or storage is full: freeing space helps, waiting does not. Only `session_memory_full` may pass by itself, when sessions
 * have been moved to S3. Nothing was changed.
 */
export class StorageFullError extends CodedError<
  'memory_full' | 'storage_full' | 'store_full' | 'session_memory_full'
> {
  override readonly status = 507;
}

/** Whether Redis itself is out of memory. */
export const isStoreFull = (error: unknown): boolean =>
  error instanceof StorageFullError && error.code === 'store_full';

// --- things ----------------------------------------------------------------------------------------------------------

/** No such thing, or it belongs to somebody else: the two are not told apart. */
export class NotFoundError extends CodedError<
  | 'tenant_not_found'
  | 'entry_not_found'
  | 'session_not_found'
  | 'key_not_found'
  | 'invoice_not_found'
  | 'quota_request_not_found'
  | 'reservation_not_found'
  | 'job_not_found'
  | 'export_not_found'
  | 'config_version_not_found'
  | 'checkpoint_not_found'
> {
  override readonly status = 404;
}

/** `If-Match` or `If-None-Match: *` does not hold. Nothing was changed. */
export class PreconditionFailedError extends AppError {
  override readonly code = 'precondition_failed';
  override readonly status = 412;
}

/** The session was changed since the version that the caller names in `If-Match`. Nothing was changed. */
export class VersionConflictError extends AppError {
  override readonly code = 'version_conflict';
  override readonly status = 409;

  constructor(currentVersion: number) {
    super('The session has another version by now', { details: { current_version: currentVersion } });
  }
}

/** The `Idempotency-Key` was used before, with another request; or its first request is still running. */
export class IdempotencyError extends AppError {
  override readonly code: 'idempotency_key_reused' | 'idempotency_in_progress';
  override readonly status: 422 | 409;

  constructor(code: IdempotencyError['code'], message: string, context?: ErrorContext) {
    super(message, context);
    this.code = code;
    this.status = code === 'idempotency_key_reused' ? 422 : 409;
  }
}

/** A stored value failed its digest or length check. It was not served. */
export class CorruptValueError extends AppError {
  override readonly code = 'value_corrupt';
  override readonly status = 500;
}

/** Another deployment wrote the checkpoint: its tenants, keys and sessions are none of this one's. */
export class CheckpointForeignError extends AppError {
  override readonly code = 'checkpoint_foreign';
  override readonly status = 409;
  constructor() {
    super('The checkpoint is of another deployment: restore it there, or export what is needed');
  }
}

/** One checkpoint or restore at a time: another job has its turn. */
export class CheckpointRunningError extends AppError {
  override readonly code = 'checkpoint_running';
  override readonly status = 409;
  constructor(jobId: string) {
    super(`Another checkpoint or restore is under way: ${jobId}. Follow it, and try again when it has ended`, {
      details: { job: jobId },
    });
  }
}

/** A newer version wrote the checkpoint: there is something in it that this one cannot read. Nothing was changed. */
export class CheckpointFormatError extends AppError {
  override readonly code = 'checkpoint_format_unknown';
  override readonly status = 422;
}

// --- the cache -------------------------------------------------------------------------------------------------------

/** A load took longer than its lease, or what it loaded was written or invalidated meanwhile. */
export class LeaseLostError extends AppError {
  override readonly code = 'lease_lost';
  override readonly status = 412;
  /** It was written or invalidated while the lease was held, which is free now. */
  readonly overtaken: boolean;

  constructor(message: string, { overtaken }: { readonly overtaken: boolean }) {
    super(message);
    this.overtaken = overtaken;
  }
}

/**
 * An upload that cannot become an entry's value: it is over, was used, or was never begun; or what was uploaded is not as long as
 * was announced. Nothing was stored.
 */
export class UploadError extends AppError {
  override readonly code: 'upload_gone' | 'upload_mismatch';
  override readonly status: 410 | 422;

  constructor(code: UploadError['code'], message: string, context?: ErrorContext) {
    super(message, context);
    this.code = code;
    this.status = code === 'upload_gone' ? 410 : 422;
  }
}

/** The entry is no number, the sum would be none, or others were faster each time. Nothing was changed. */
export class NumberError extends CodedError<'not_a_number' | 'number_out_of_range' | 'contended'> {
  override readonly status = 409;
}

/** Too much was invalidated and waits to be reclaimed. Nothing was changed. */
export class ReclaimBehindError extends AppError {
  override readonly code = 'reclaim_behind';
  override readonly status = 503;
}

// --- sessions --------------------------------------------------------------------------------------------------------

/** A session cannot be made under an id that has one, or that had one which was terminated. */
export class SessionIdError extends CodedError<'session_exists' | 'session_terminated'> {
  override readonly status = 409;
}

/** The session was moved to S3 and its object is gone from there. What was in it is lost. */
export class SessionLostError extends AppError {
  override readonly code = 'session_lost';
  override readonly status = 410;
}

/** The session's object in S3 is not what was written: damaged, or another. Nothing of it was served. */
export class SessionCorruptError extends AppError {
  override readonly code = 'session_corrupt';
  override readonly status = 500;
}

// --- tenants ---------------------------------------------------------------------------------------------------------

/** The deployment holds as many tenants as it may. */
export class TenantLimitError extends AppError {
  override readonly code = 'tenant_limit_reached';
  override readonly status = 409;
}

/** The tenant holds as many API keys as it may. */
export class KeyLimitError extends AppError {
  override readonly code = 'key_limit_reached';
  override readonly status = 409;
}

/** What is asked for does not go with the tenant's state. Nothing was changed. */
export class TenantStateError extends CodedError<
  'deletion_pending' | 'tenant_not_deleted' | 'quota_below_usage' | 'encryption_off' | 'data_key_limit_reached'
> {
  override readonly status = 409;
}

/** What is asked for does not go with the key's state; or its secret was given to an earlier call. Nothing was changed. */
export class KeyStateError extends CodedError<'key_not_active' | 'key_already_made'> {
  override readonly status = 409;
}

/** The tenant was erased: it is gone for good, and so is its id. */
export class TenantErasedError extends AppError {
  override readonly code = 'tenant_erased';
  override readonly status = 410;
}

/** The tenant's alerts go nowhere: there is no address for them, or nothing to sign them with. */
export class WebhookNotSetError extends AppError {
  override readonly code = 'webhook_not_set';
  override readonly status = 409;
}

/** A reservation, or what was committed of one, is too small for what is asked; or too many are open. Nothing was changed. */
export class ReservationError extends CodedError<
  'reservation_too_small' | 'reservation_limit_reached' | 'release_too_large'
> {
  override readonly status = 409;
}

/** The request for quotas is decided, or there are as many open ones as may be. Nothing was changed. */
export class QuotaRequestError extends CodedError<'quota_request_closed' | 'quota_request_limit_reached'> {
  override readonly status = 409;
}

/** Nothing is priced in this deployment: `tenant.enable_billing` is off. */
export class BillingDisabledError extends AppError {
  override readonly code = 'billing_disabled';
  override readonly status = 409;
}

/** The tenant's billing holds as many corrections as it may. */
export class AdjustmentLimitError extends AppError {
  override readonly code = 'adjustment_limit_reached';
  override readonly status = 409;
}

// --- jobs ------------------------------------------------------------------------------------------------------------

/** The job is done or has failed. Nothing was changed. */
export class JobEndedError extends AppError {
  override readonly code = 'job_ended';
  override readonly status = 409;
}

/** As many jobs wait or run as may, in all or of the tenant. Nothing was changed. */
export class JobLimitError extends AppError {
  override readonly code = 'job_limit_reached';
  override readonly status = 409;
}

/**
 * A step of a job could not be run: a newer version started it, it was begun too often and never ended, or took too long.
 * Told in the job, and by no endpoint.
 */
export class JobStepError extends CodedError<'job_kind_unknown' | 'job_abandoned' | 'job_step_timeout'> {
  override readonly status = 503;
}

// --- faults ----------------------------------------------------------------------------------------------------------

/** Time ran out before the answer. What was sent may still be applied. */
export class DeadlineError extends AppError {
  override readonly code = 'deadline_exceeded';
  override readonly status = 504;
}

/** A value was not loaded in the time its caller gave for that, or somebody else did not load it. */
export class LoadTimeoutError extends AppError {
  override readonly code = 'load_timeout';
  override readonly status = 504;
}

/** Redis cannot be reached, or cannot answer now; nothing was changed. */
export class RedisUnavailableError extends AppError {
  override readonly code = 'store_unavailable';
  override readonly status = 503;
}

/** A write was sent and no reply came back: it may or may not be applied. Repeating with the same key is safe. */
export class OutcomeUnknownError extends AppError {
  override readonly code = 'outcome_unknown';
  override readonly status = 503;
}

/** Redis answered with an error. `reply` is its first word, as `NOSCRIPT` or `WRONGTYPE`; never the command. */
export class RedisReplyError extends AppError {
  override readonly code = 'store_error';
  override readonly status = 500;
  readonly reply: string;

  constructor(reply: string, message: string) {
    super(message, { details: { reply } });
    this.reply = reply;
  }
}

/** S3 cannot be reached, or refused the call for a reason of its own. */
export class BlobUnavailableError extends AppError {
  override readonly code = 'blob_store_unavailable';
  override readonly status = 503;
}

// --- encryption ------------------------------------------------------------------------------------------------------

/** Encryption is asked for and no key provider is configured. Nothing was changed. */
export class EncryptionUnavailableError extends AppError {
  override readonly code = 'encryption_unavailable';
  override readonly status = 409;

  constructor() {
    super(
      'This deployment has no key provider: set encryption.kms_key_id or encryption.master_key_file, or turn encryption off for the tenant (for all: tenant.enable_encryption)',
    );
  }
}

/** The key provider cannot be reached, or cannot answer now. Nothing was changed. */
export class KeyProviderUnavailableError extends AppError {
  override readonly code = 'key_provider_unavailable';
  override readonly status = 503;
}

/**
 * The key provider has answered, and does not hand out this key. `reason` tells an operator why. Waiting does not help: no
 * Retry-After.
 */
export class KeyRefusedError extends AppError {
  override readonly code = 'key_refused';
  override readonly status = 503;
  readonly reason: KeyRefusal;

  constructor(reason: KeyRefusal, message: string, context: ErrorContext = {}) {
    super(message, { ...context, details: { ...context.details, reason } });
    this.reason = reason;
  }
}

/** `unknown_key`: no such master key. `wrong_key`: another master key, another context, or damaged. `destroyed`: the data key itself is gone. The rest: known, and closed to us. */
export type KeyRefusal = 'unknown_key' | 'wrong_key' | 'access_denied' | 'key_disabled' | 'destroyed';

/** The master key cannot read what is stored: it is another one. The message says what to do. */
export class MasterKeyMismatchError extends AppError {
  override readonly code = 'master_key_mismatch';
  override readonly status = 500;
}

/** A server of the local stack cannot be found or started; the message says what to do. Never met on Lambda. */
export class LocalServiceError extends AppError {
  override readonly code = 'local_service_failed';
  override readonly status = 500;
}
