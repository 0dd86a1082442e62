// `env` itself: long names, short names, what two kinds share, and what is not there.
import { equal, ok, run, same, test, throws } from '../assert.mjs';

let env;

test('a thing stands at its long name and at its short one', () => {
  equal(env.things, env.kv.things);
  equal(env.shop, env.sql.shop);
  equal(env.default, env.event.default);
  equal(env.resize, env.fn.resize);
  equal(env['other-things'], env.kv['other-things']);
});

test('secrets and settings are strings', async () => {
  equal(env.API_KEY, 'api_key');
  equal(env.secret.API_KEY, 'api_key');
  equal(env.REGION, 'region');
  equal(env.setting.REGION, 'region');
  equal(env.never_set, undefined);
  await throws(() => env.BROKEN, 'ServiceError', 'secret.BROKEN: the secret BROKEN is not text');
});

test('copying and listing reads no secret', () => {
  const copy = { ...env };
  ok(!('API_KEY' in copy));
  equal(copy.REGION, 'region');
  ok('API_KEY' in env);
  ok(!JSON.stringify(env).includes('api_key'));
});

test('a name that two kinds share has to be said in full', async () => {
  const error = await throws(() => env.orders, 'TypeError', 'env.queue.orders or env.stream.orders');
  ok(error.message.startsWith('env.orders may be'));
  ok(env.queue.orders !== env.stream.orders);
});

test('a word of env keeps its meaning', () => {
  ok(env.queue.orders !== undefined);
  equal(typeof env.fn.queue.fetch, 'function');
});

test('what was not granted is named with the line that grants it', async () => {
  await throws(() => env.kv.sessions.get('x'), 'TypeError', 'add "kv.sessions" to the function\'s `uses`');
  await throws(() => env.secret.STRIPE, 'TypeError', 'add "secret.STRIPE"');
  await throws(() => env.fn.mail, 'TypeError', 'http://mail.internal');
  equal(env.MAYBE, undefined);
  equal(env.setting.MAYBE, undefined);
  equal('sessions' in env.kv, false);
  equal(await env.kv, env.kv, 'it is no promise');
});

test('nothing of it can be changed', async () => {
  await throws(() => { 'use strict'; env.things = 1; }, 'TypeError');
  await throws(() => { 'use strict'; env.kv.things = 1; }, 'TypeError');
  await throws(() => { 'use strict'; env.things.get = 1; }, 'TypeError');
});

export default {
  async fetch(_, given) {
    env = given;
    await run();
    return new Response();
  },
};
