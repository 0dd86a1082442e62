// A script that bends the language's own prototypes gets the right answers all the same.
import { equal } from '../assert.mjs';

const trap = () => { throw new Error('it asked a method of the script'); };

const bend = () => {
  const trapped = { writable: true, configurable: true, value: trap };
  for (const name of ['delay', 'key', 'type']) Object.defineProperty(Object.prototype, name, { ...trapped, value: 'a trap' });
  for (const name of ['push', 'map', 'join', 'indexOf', 'slice', 'concat', 'filter']) Object.defineProperty(Array.prototype, name, trapped);
  for (const name of ['replace', 'startsWith', 'slice', 'toLowerCase', 'lastIndexOf', 'trim']) Object.defineProperty(String.prototype, name, trapped);
  for (const name of ['parse', 'stringify']) Object.defineProperty(JSON, name, trapped);
  for (const name of ['get', 'set', 'has']) Object.defineProperty(Map.prototype, name, trapped);
  for (const name of ['get', 'set', 'has']) Object.defineProperty(WeakMap.prototype, name, trapped);
  Object.defineProperty(Array.prototype, Symbol.iterator, trapped);
  Object.defineProperty(RegExp.prototype, 'exec', trapped);
  Object.defineProperty(RegExp.prototype, 'test', trapped);
};

export default {
  async fetch(_, env) {
    const stream = new ReadableStream({ start(controller) { controller.enqueue(new Uint8Array(3)); controller.close(); } });
    bend();
    await env.things.put('a', { b: 1 });
    equal((await env.things.get('a', 'json')).b, 1);
    equal((await env.things.list({ prefix: 'a' })).keys[0], 'a');
    equal(await env.things.compareAndSwap(await env.things.getWithVersion('a'), 'c'), true);
    equal((await env.shop.prepare('select ? as x').bind('y').all()).results[0].x, 'y');
    equal(await env.shop.prepare('select 1 as a, 2 as b').first('b'), 2);
    equal((await env.shop`select ${7} as n`)[0].n, 7);
    equal((await env.shop.exec('create table h (a); insert into h values (1)')).count, 2);
    equal(await env.shop.transaction((tx) => tx.prepare('select count(*) as n from h').first('n')), 1);
    equal((await env.queue.orders.send('x')).id, 'msg_1');
    equal((await env.stream.clicks.append('x')).sequence, 1);
    equal(await env.default.publish({ type: 't', data: {} }), 'evt-1');
    await env.photos.put('s', stream);
    equal((await env.photos.head('s')).size, 3);
    await env.photos.put('k', 'v');
    equal(await (await env.photos.get('k')).text(), 'v');
    return new Response();
  },
};
