import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { RedisReply } from '../../lib/redis/driver.ts';
import { asInteger, asList, asText, asTextOrNull, UnknownReplyShapeError } from '../../lib/redis/reply-shape.ts';
import { defineScript, scriptCall } from '../../lib/redis/script.ts';
import { evalCommand } from '../../lib/redis/script-command.ts';

const source = 'return {KEYS[1], ARGV[1], #KEYS, #ARGV}';
const reply = (raw: RedisReply) => raw;
const addMembers = defineScript({
  name: 'add-members',
  source,
  keys: ['set', '...others'],
  args: ['limit', '...members'],
  reply,
});

describe('a script becomes a command', () => {
  it('is known by the hash Redis gives its text', () => {
    expect(addMembers.sha1).toBe(createHash('sha1').update(source).digest('hex'));
  });

  it('lists keys, then arguments, in the order of their names and not of the record', () => {
    const script = defineScript({ name: 'two', source, keys: ['from', 'to'], args: ['a', 'b'], reply });
    const { command } = scriptCall(script, { args: { b: 2, a: 'x' }, keys: { to: 'k2', from: 'k1' } });
    expect(command).toEqual(['EVALSHA', script.sha1, 2, 'k1', 'k2', 'x', 2]);
  });

  it('spreads the rest, and counts its keys', () => {
    const input = { keys: { set: 's', others: ['o1', 'o2'] }, args: { limit: 9, members: ['m1', 7] } };
    expect(scriptCall(addMembers, input).command.slice(2)).toEqual([3, 's', 'o1', 'o2', 9, 'm1', 7]);
    const empty = { keys: { set: 's', others: [] }, args: { limit: 9, members: [] } };
    expect(scriptCall(addMembers, empty).command.slice(2)).toEqual([1, 's', 9]);
  });

  it('keeps empty text and zero', () => {
    const script = defineScript({ name: 'two', source, keys: ['k'], args: ['text', 'number'], reply });
    const { command } = scriptCall(script, { keys: { k: '' }, args: { text: '', number: 0 } });
    expect(command.slice(2)).toEqual([1, '', '', 0]);
  });

  it('refuses a missing value rather than shift those after it', () => {
    const missing = { keys: { set: 's', others: [] }, args: { limit: undefined as unknown as string, members: [] } };
    expect(() => scriptCall(addMembers, missing)).toThrow('No value for "limit"');
  });

  it('is the same call with its text, for a server that does not know it', () => {
    const { command } = scriptCall(addMembers, { keys: { set: 's', others: [] }, args: { limit: 1, members: ['m'] } });
    expect(evalCommand(addMembers, command)).toEqual(['EVAL', source, 1, 's', 1, 'm']);
  });
});

describe('a reply is checked, not trusted', () => {
  it('takes integers as numbers and as the text a script formats', () => {
    expect([asInteger(7), asInteger('-12'), asInteger('9007199254740991')]).toEqual([7, -12, Number.MAX_SAFE_INTEGER]);
  });

  it.each([null, 'x', '', '1.5', '1e3', '9007199254740993', [1], undefined])('takes no integer from %j', (raw) => {
    expect(() => asInteger(raw)).toThrow(UnknownReplyShapeError);
  });

  it('takes lists of the length it expects', () => {
    expect(asList([1, 'a'], 2)).toEqual([1, 'a']);
    expect(() => asList([1], 2)).toThrow(UnknownReplyShapeError);
    expect(() => asList('a')).toThrow(UnknownReplyShapeError);
  });

  it('tells text from its absence', () => {
    expect([asText(''), asTextOrNull(null), asTextOrNull('a')]).toEqual(['', null, 'a']);
    expect(() => asText(null)).toThrow(UnknownReplyShapeError);
    expect(() => asTextOrNull(1)).toThrow(UnknownReplyShapeError);
  });

  it('names no value in the error', () => {
    expect(() => asInteger('a secret')).toThrow(/^(?!.*secret)/);
  });
});
