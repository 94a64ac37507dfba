/** One authorised request, from its body to the JSON text of its answer. */
import { RedisReplyError } from '../../../lib/errors.ts';
import { type Command, refusal } from './command-rules.ts';
import { parseCommand, parseCommands, parsePath } from './parse-commands.ts';
import type { RedisLink } from './redis-link.ts';
import { answerJson, type LinkReply, type ReplyEncoding } from './reply-encoding.ts';

export interface ApiRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  readonly encoding: ReplyEncoding;
}

/**
 * Runs what the path asks for.
 * @throws {RedisReplyError} its text is the answer: the request was malformed or refused, or Redis answered an error.
 * @throws as {@link RedisLink.sendAll}.
 */
export function runRequest(link: RedisLink, request: ApiRequest): Promise<string> {
  if (request.path === '/') return runOne(link, parseCommand(request.body), request.encoding);
  if (request.path === '/pipeline') return runPipeline(link, request);
  if (request.path === '/multi-exec') return runTransaction(link, request);
  return runOne(link, parsePath(request.path, request.query, request.body), request.encoding);
}

async function runOne(link: RedisLink, command: Command, encoding: ReplyEncoding): Promise<string> {
  const refused = refusal(command);
  if (refused !== null) throw asReplyError(refused);
  const [reply = null] = await link.sendAll([command]);
  if (reply instanceof Error) throw asReplyError(reply.message);
  return answerJson(reply, encoding);
}

/** Not atomic as a whole: a command that fails or is refused leaves its error in its place, and the others run. */
async function runPipeline(link: RedisLink, { body, encoding }: ApiRequest): Promise<string> {
  const commands = parseCommands(body);
  const refusals = commands.map(refusal);
  const allowed = refusals.every((refused) => refused === null)
    ? commands
    : commands.filter((_command, i) => refusals[i] === null);
  const replies = allowed.length === 0 ? [] : await link.sendAll(allowed);
  let next = 0;
  const slots = refusals.map(
    (refused): LinkReply => (refused === null ? (replies[next++] ?? null) : asReplyError(refused)),
  );
  return slotsJson(slots, encoding);
}

/** All or nothing: a command that Redis cannot queue discards it. One that fails while it runs leaves its error. */
async function runTransaction(link: RedisLink, { body, encoding }: ApiRequest): Promise<string> {
  const commands = parseCommands(body);
  for (const refused of commands.map(refusal)) if (refused !== null) throw asReplyError(refused);
  const replies = await link.sendAll([['MULTI'], ...commands, ['EXEC']]);
  const executed = replies.at(-1) ?? null;
  if (Array.isArray(executed)) return slotsJson(executed, encoding);
  const cause = replies.find((reply) => reply instanceof Error);
  throw asReplyError(cause instanceof Error ? cause.message : 'EXECABORT Transaction discarded');
}

function slotsJson(slots: readonly LinkReply[], encoding: ReplyEncoding): string {
  return `[${slots.map((slot) => answerJson(slot, encoding)).join(',')}]`;
}

/** The text Redis or Upstash would send, whole: the client shows it. */
function asReplyError(text: string): RedisReplyError {
  return new RedisReplyError(text.slice(0, text.indexOf(' ')), text);
}
