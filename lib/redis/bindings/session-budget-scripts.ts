/** Bindings: the memory that the hot sessions of all tenants share. */
import { asInteger, asList } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import beginSessionLoweringLua from '../scripts/begin-session-lowering.lua';
import grantSessionMemoryLua from '../scripts/grant-session-memory.lua';
import releaseSessionMemoryLua from '../scripts/release-session-memory.lua';
import setSessionShareLua from '../scripts/set-session-share.lua';
import settleSessionMemoryLua from '../scripts/settle-session-memory.lua';

export const grantSessionMemory = defineScript({
  name: 'grant-session-memory',
  source: grantSessionMemoryLua,
  keys: ['budget'],
  args: ['tenant', 'want', 'ahead', 'share', 'epoch', 'max'],
  reply: (raw) => {
    const [grantedBytes, epoch, totalBytes] = asList(raw, 3);
    return { grantedBytes: asInteger(grantedBytes), epoch: asInteger(epoch), totalBytes: asInteger(totalBytes) };
  },
});

/** Null: nothing is granted above the target. */
export const beginSessionLowering = defineScript({
  name: 'begin-session-lowering',
  source: beginSessionLoweringLua,
  keys: ['budget'],
  args: ['tenant', 'target'],
  // It leads to memory that is free.
  runsWhenFull: true,
  reply: (raw) => {
    const [epoch, grantedBytes] = asList(raw, 2).map(asInteger) as [number, number];
    return epoch === 0 ? null : { epoch, grantedBytes };
  },
});

export const releaseSessionMemory = defineScript({
  name: 'release-session-memory',
  source: releaseSessionMemoryLua,
  keys: ['budget'],
  args: ['tenant'],
  runsWhenFull: true,
  reply: (raw) => {
    const [wasIn, freedBytes] = asList(raw, 2);
    return { wasIn: wasIn === 1, freedBytes: asInteger(freedBytes) };
  },
});

export const settleSessionMemory = defineScript({
  name: 'settle-session-memory',
  source: settleSessionMemoryLua,
  keys: ['budget'],
  args: ['tenant', 'target', 'epoch'],
  runsWhenFull: true,
  reply: (raw) => asInteger(raw) === 1,
});

const STATES = ['newer', 'holds', 'gone'] as const;

export const setSessionShare = defineScript({
  name: 'set-session-share',
  source: setSessionShareLua,
  keys: ['gate'],
  args: ['share', 'epoch'],
  runsWhenFull: true,
  reply: (raw) => {
    const [state, hotBytes, shareBytes, epoch] = asList(raw, 4).map(asInteger) as [number, number, number, number];
    return { state: STATES[state] ?? 'newer', hotBytes, shareBytes, epoch };
  },
});
