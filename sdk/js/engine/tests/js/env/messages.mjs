// `env.queue`, `env.stream`, `env.event`: what is sent, and what comes back.
import { equal, run, same, test, throws } from '../assert.mjs';

let env;

test('messages are sent one by one or all at once', async () => {
  const { orders } = env.queue;
  same(await orders.send('x'), { id: 'msg_1', duplicate: false });
  same(await orders.sendBatch([{ body: { a: 1 } }, { body: 'y', dedup: 'k' }, { body: 'y', dedup: 'k' }]), [
    { id: 'msg_2', duplicate: false }, { id: 'msg_3', duplicate: false }, { id: 'msg_3', duplicate: true },
  ]);
  same(await orders.sendBatch([]), []);
  const error = await throws(() => orders.send('x', { group: 'g', delay: 5 }), 'ServiceError', 'queue.orders: a message of a group');
  equal(error.code, 'invalid');
  await throws(() => orders.send('x', { delay: '5 weeks' }), 'TypeError', '"30s"');
  await throws(() => orders.send('x', { delaySeconds: 5 }), 'TypeError', 'delay, dedup, group');
  await throws(() => orders.send('x', { attributes: { a: 1 } }), 'TypeError', 'the attribute a must be a string');
  await throws(() => orders.sendBatch([{ text: 'x' }]), 'TypeError', 'no option "text"');
  await throws(() => orders.sendBatch([{}]), 'TypeError', 'message 1 of queue.orders.sendBatch has no body');
});

test('records are appended and read', async () => {
  const { clicks } = env.stream;
  same(await clicks.append({ a: 1 }, { key: 'ada' }), { partition: 0, sequence: 1 });
  same(await clicks.appendBatch([{ body: 'b' }, { body: new Uint8Array([7]), key: new Uint8Array([1]) }]), [
    { partition: 0, sequence: 2 }, { partition: 0, sequence: 3 },
  ]);
  const [first, second] = await clicks.read({ partition: 0, from: 1, limit: 2 });
  same([first.sequence, first.json(), first.timestamp.getTime()], [1, { a: 1 }, 1000]);
  same(first.key, new TextEncoder().encode('ada'));
  same([second.text(), second.key], ['b', null]);
  const error = await throws(() => clicks.read({ partition: 0, from: 0 }), 'ServiceError', 'the oldest that is left is 1');
  same([error.code, error.oldest], ['trimmed', 1]);
  await throws(() => clicks.read({ partition: 0, limit: 65 }), 'TypeError', 'from 1 to 64');
});

test('events are published', async () => {
  const bus = env.event.default;
  equal(await bus.publish({ type: 'a' }), 'evt-1');
  same(await bus.publishBatch([{ type: 'a', id: 'mine' }, { type: 'b', time: '2026-11-21T06:00:00Z' }]), ['mine', 'evt-3']);
  const error = await throws(() => bus.publish({ type: '' }), 'ServiceError', 'event.default: `type` is empty');
  equal(error.code, 'invalid');
  await throws(() => bus.publish({ data: 1 }), 'TypeError', 'the type of the event must be a string, not undefined');
  await throws(() => bus.publish({ type: 'a', tenant: {} }), 'TypeError', 'the attribute tenant');
  await throws(() => bus.publish({ type: 'a', time: 'soon' }), 'TypeError', 'no time');
  await throws(() => bus.publish('a'), 'TypeError', 'not string');
});

export default {
  async fetch(_, given) {
    env = given;
    await run();
    return new Response();
  },
};
