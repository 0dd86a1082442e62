// `env.kv`: values of every kind, lists, counters, compare-and-swap.
import { equal, ok, run, same, test, throws } from '../assert.mjs';

let kv, env;

test('values come back as what is asked for', async () => {
  equal(await kv.get('nothing'), null);
  await kv.put('text', 'höher');
  equal(await kv.get('text'), 'höher');
  equal(await kv.get('text', { type: 'text' }), 'höher');
  same(await kv.get('text', 'bytes'), new TextEncoder().encode('höher'));
  equal((await kv.get('text', 'arrayBuffer')).byteLength, 6);
  await kv.put('json', { a: [1, null, 'x'] });
  same(await kv.get('json', 'json'), { a: [1, null, 'x'] });
  equal(await kv.get('json'), '{"a":[1,null,"x"]}');
  await kv.put('bytes', new Uint8Array([0, 255, 7]).subarray(1));
  same(await kv.get('bytes', 'bytes'), new Uint8Array([255, 7]));
  equal(await kv.get('bytes'), '\ufffd\u0007');
  await kv.put('number', 12);
  equal(await kv.get('number', 'json'), 12);
  await kv.put('lone', '\ud800');
  equal(await kv.get('lone'), '\ufffd');
});

test('what is there is told and removed', async () => {
  await kv.put('here', '');
  equal(await kv.has('here'), true);
  equal(await kv.get('here'), '');
  await kv.delete('here');
  await kv.delete('here');
  equal(await kv.has('here'), false);
});

test('many are written, read and removed at once', async () => {
  await kv.putMany([['m1', 'a'], ['m2', { b: 1 }]]);
  await kv.putMany({ m3: 'c' });
  const found = await kv.getMany(['m1', 'none', 'm3']);
  ok(found instanceof Map);
  same([...found], [['m1', 'a'], ['none', null], ['m3', 'c']]);
  same((await kv.getMany(new Set(['m2']), 'json')).get('m2'), { b: 1 });
  await kv.deleteMany(['m1', 'm2', 'm3']);
  equal((await kv.getMany([])).size, 0);
  equal(await kv.has('m2'), false);
});

test('keys are listed by prefix, in order, page by page', async () => {
  const store = env.kv['other-things'];
  await store.putMany(Object.fromEntries(['a', 'order', 'order-10', 'order-2', 'order-3', 'order-4', 'order-5', 'order.', 'z'].map((key) => [key, key])));
  same(await store.list({ prefix: 'order' }), { keys: ['order', 'order-10', 'order-2', 'order-3', 'order-4', 'order-5', 'order.'], cursor: null, complete: true });
  same((await store.list({ prefix: 'order-' })).keys.length, 5);
  const first = await store.list({ prefix: 'order', limit: 2 });
  same(first, { keys: ['order', 'order-10'], cursor: 'order-10', complete: false });
  const rest = await store.list({ prefix: 'order', cursor: first.cursor, limit: 100 });
  same(rest.keys, ['order-2', 'order-3', 'order-4', 'order-5', 'order.']);
  same(await store.list({ prefix: 'none' }), { keys: [], cursor: null, complete: true });
  const all = [];
  for await (const key of store.keys()) all.push(key);
  equal(all.length, 9);
  equal((await store.list({ limit: 1000 })).keys.join(), all.join());
});

test('numbers are added to', async () => {
  equal(await kv.increment('count'), 1);
  equal(await kv.increment('count', 41), 42);
  equal(await kv.increment('count', -2n), 40);
  equal(await kv.get('count'), '40');
  await kv.put('words', 'many');
  const error = await throws(() => kv.increment('words'), 'ServiceError', 'kv.things: the value is not a whole number');
  equal(error.code, 'invalid');
  await throws(() => kv.increment('count', 0.5), 'TypeError', 'whole number');
  await throws(() => kv.increment('count', 2n ** 63n), 'RangeError', 'beyond 64 bits');
});

test('a swap is written only if nobody else wrote', async () => {
  await kv.put('swap', { n: 1 });
  const mine = await kv.getWithVersion('swap', 'json');
  const theirs = await kv.getWithVersion('swap', 'json');
  same(mine.value, { n: 1 });
  equal(await kv.compareAndSwap(theirs, { n: 2 }), true);
  equal(await kv.compareAndSwap(mine, { n: 3 }), false);
  same(await kv.get('swap', 'json'), { n: 2 });
  const absent = await kv.getWithVersion('swap-new');
  equal(absent.value, null);
  equal(await kv.compareAndSwap(absent, 'x'), true);
  await throws(() => kv.compareAndSwap({ key: 'swap' }, 'x'), 'TypeError', 'getWithVersion');
  await throws(() => env.kv['other-things'].compareAndSwap(absent, 'x'), 'TypeError', 'same store');
});

test('an update loses nothing that others write meanwhile', async () => {
  await kv.put('list', 'a');
  let calls = 0;
  await kv.update('list', async (old) => {
    if (calls++ === 0) await kv.put('list', 'a,b');
    return `${old},c`;
  });
  equal(await kv.get('list'), 'a,b,c');
  equal(calls, 2);
  await kv.update('fresh', (old) => ({ n: (old?.n ?? 0) + 1 }), 'json');
  same(await kv.get('fresh', 'json'), { n: 1 });
  await throws(() => kv.update('list', () => { throw new RangeError('no'); }), 'RangeError');
  await throws(() => kv.update('list', () => { void kv.put('list', Math.random().toString()); return 'x'; }), 'ServiceError', 'others changed');
});

test('what is refused says why', async () => {
  const error = await throws(() => env.kv['things-ro'].put('a', 'b'), 'ServiceError', 'kv.things-ro: access denied');
  equal(error.code, 'access-denied');
  equal(error.resource, 'kv.things-ro');
  ok(error instanceof Error);
  await throws(() => env.kv.denied.get('a'), 'ServiceError', 'add "kv.denied"');
  await throws(() => kv.get(7), 'TypeError', 'the key must be a string, not number');
  await throws(() => kv.get('text', 'xml'), 'TypeError', '"text", "json", "bytes"');
  await throws(() => kv.get('text', 'json'), 'SyntaxError', 'kv.things: the value of "text" is no JSON');
  await throws(() => kv.put('a', undefined), 'TypeError', 'the value is undefined');
  await throws(() => kv.put('a', Promise.resolve('x')), 'TypeError', 'await it first');
  await throws(() => kv.put('a', new Blob(['x'])), 'TypeError', 'bytes()');
  await throws(() => kv.put('a', 'b', { expirationTtl: 60 }), 'TypeError', 'no option "expirationTtl"');
  await throws(() => kv.list({ limit: 0 }), 'TypeError', 'from 1 to 1000');
  await throws(() => kv.getMany('abc'), 'TypeError', 'list of strings');
});

export default {
  async fetch(_, given) {
    env = given;
    kv = env.kv.things;
    await run();
    return new Response();
  },
};
