import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memberTexts, objectText } from '../../lib/http/json-texts.ts';

describe('parts of a JSON text [S2 A14]', () => {
  it('are cut out as they stand, without the spaces around them', () => {
    expect([...memberTexts(' {"a" : [1.0,  {"b":","}] ,"\\u0062":-0}\n')]).toEqual([
      ['a', '[1.0,  {"b":","}]'],
      ['b', '-0'],
    ]);
    expect(memberTexts('{}').size).toBe(0);
    expect(memberTexts('{"a":{"b":1},"c":"}"}')).toEqual(
      new Map([
        ['a', '{"b":1}'],
        ['c', '"}"'],
      ]),
    );
    expect(memberTexts('{"a\\\\":"\\\\\\"","__proto__":1}')).toEqual(
      new Map([
        ['a\\', '"\\\\\\""'],
        ['__proto__', '1'],
      ]),
    );
  });

  it('are all there, whatever the object, however it is spaced', () => {
    const spacing = fc.constantFrom(undefined, 1, '\t');
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), spacing, (object, space) => {
        const json = JSON.stringify(object, null, space);
        const cut = memberTexts(json);
        expect([...cut.keys()].sort()).toEqual(Object.keys(JSON.parse(json)).sort());
        for (const [name, text] of cut) expect(JSON.parse(text)).toEqual(JSON.parse(json)[name]);
        expect(JSON.parse(objectText(cut))).toEqual(JSON.parse(json));
      }),
    );
  });
});
