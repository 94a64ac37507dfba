/** Who asks for an administrative action, and until when. */
import { adminActor, SYSTEM_ACTOR } from '../audit/entry.ts';
import type { HttpEvent } from '../http/event.ts';

export interface AdminCall {
  /** Identity of this operation: the same again is the same operation. Default: a new ULID. */
  readonly ulid?: string;
  /** Grows when a repeated call takes over one that did not end. Default: 0. */
  readonly fence?: number;
  /** For the audit log. Default: {@link SYSTEM_ACTOR}. */
  readonly actor?: string;
  /** For the audit log: names the request in our log. */
  readonly requestId?: string | null;
  readonly signal?: AbortSignal | undefined;
}

/** What an admin endpoint knows of its caller. */
export function adminCall(
  { config }: { readonly config: { readonly admin: { readonly keySha256: string } } },
  request: {
    readonly operationId: () => string;
    readonly fence: number;
    readonly event: HttpEvent;
    readonly signal: AbortSignal;
  },
): AdminCall {
  return {
    ulid: request.operationId(),
    fence: request.fence,
    actor: adminActor(config.admin.keySha256),
    requestId: request.event.requestContext?.requestId ?? null,
    signal: request.signal,
  };
}

/** The fields of an audit entry that say who. */
export const originOf = ({ actor = SYSTEM_ACTOR, requestId = null }: AdminCall) => ({ actor, requestId });
