/** Entries found by walking through the keys of a namespace: a step at a time, by a request or by a job. */
import { unescapeControls } from '../../keys.ts';
import { entriesOf } from './entry-range.ts';
import { type EntryWalk, LEASED_BATCH, type Place, WALK_BATCH } from './entry-walk.ts';
import { compileGlob } from './glob.ts';

/** Kept in a job: JSON. */
export interface WalkParams {
  readonly namespace: string;
  /** What the keys begin with; empty: the whole namespace. */
  readonly prefix: string;
  /** Null: the prefix alone decides. */
  readonly glob: string | null;
  /** Entries written later, by seq, stay. */
  readonly bound: number;
  /** Entries of the range at the start, those that had expired included. */
  readonly total: number;
  /** Only counts. */
  readonly dry: boolean;
}

/** How far a walk is. */
export interface WalkState {
  /** The last member that was looked at; null: from the beginning. */
  readonly after: string | null;
  /** Members that were looked at. */
  readonly examined: number;
  /** Entries that a read saw before. */
  readonly found: number;
  /** False: something was removed of which the reply was lost. */
  readonly exact: boolean;
}

export const WALK_BEGIN: WalkState = { after: null, examined: 0, found: 0, exact: true };

/** One batch; two or three round trips. @returns `ended`: nothing is left to look at. */
export async function walkOn(walk: EntryWalk, place: Place, params: WalkParams, state: WalkState) {
  const { namespace, prefix, bound, dry } = params;
  const page = await walk.page(place, entriesOf(namespace, prefix), state.after);
  const members = matching(page, namespace, params.glob);
  let { found, exact } = state;
  for (let at = 0; at < members.length; at += LEASED_BATCH) {
    const removal = { which: dry ? 'seen' : 'older', bound } as const;
    const { seen, sure } = await walk.remove(place, members.slice(at, at + LEASED_BATCH), removal);
    found += seen;
    exact &&= sure;
  }
  const after = page.at(-1) ?? state.after;
  return { state: { after, examined: state.examined + page.length, found, exact }, ended: page.length < WALK_BATCH };
}

function matching(page: readonly string[], namespace: string, pattern: string | null): readonly string[] {
  if (pattern === null) return page;
  const glob = compileGlob(pattern);
  const before = `k\0c\0${namespace}\0`.length;
  return page.filter((member) => glob.matches(unescapeControls(member.slice(before))));
}
