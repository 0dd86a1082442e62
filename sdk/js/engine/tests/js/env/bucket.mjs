// `env.bucket`: objects as bodies, streams in and out, lists.
import { equal, ok, run, same, test, throws } from '../assert.mjs';

let photos, env;
const text = async (key) => (await photos.get(key)).text();

test('objects are written from every kind of body and read in every way', async () => {
  same(await photos.put('a.txt', 'grüße'), { key: 'a.txt', size: 7 });
  equal(await text('a.txt'), 'grüße');
  await photos.put('b.json', new TextEncoder().encode('{"a":[1,2,3,4,5,6,7,8,9]}'));
  same(await (await photos.get('b.json')).json(), { a: [1, 2, 3, 4, 5, 6, 7, 8, 9] });
  await photos.put('c', new Blob(['x', 'yz']));
  same(await (await photos.get('c')).bytes(), new TextEncoder().encode('xyz'));
  equal((await (await photos.get('c')).arrayBuffer()).byteLength, 3);
  equal((await (await photos.get('c')).blob()).size, 3);
  await photos.put('d', new Response('of a response'));
  equal(await text('d'), 'of a response');
  await photos.put('empty', '');
  equal((await photos.get('empty')).size, 0);
  equal(await text('empty'), '');
  await photos.put('form', new URLSearchParams({ a: '1' }));
  equal(await text('form'), 'a=1');
});

test('streams pass through', async () => {
  let pulled = 0;
  const stream = new ReadableStream({
    pull(controller) {
      controller.enqueue(new TextEncoder().encode(`${pulled},`));
      if (++pulled === 20) controller.close();
    },
  });
  const { size } = await photos.put('stream', stream);
  equal(size, 50);
  const object = await photos.get('stream');
  let chunks = 0, read = '';
  for await (const chunk of object.body.pipeThrough(new TextDecoderStream())) {
    chunks++;
    read += chunk;
  }
  ok(chunks > 1, 'it comes in pieces');
  equal(read.length, 50);
  await photos.put('copy', await photos.get('stream'));
  equal((await photos.head('copy')).size, 50);
  await photos.put('copy2', (await photos.get('stream')).body);
  equal(await text('copy2'), read);
});

test('what breaks off is not written', async () => {
  const broken = new ReadableStream({
    pull(controller) {
      controller.enqueue(new Uint8Array(10));
      if (controller.desiredSize < -20) controller.error(new RangeError('broke off'));
      this.count = (this.count ?? 0) + 1;
      if (this.count > 3) controller.error(new RangeError('broke off'));
    },
  });
  await throws(() => photos.put('broken', broken), 'RangeError', 'broke off');
  equal(await photos.has('broken'), false);
  const words = new ReadableStream({ start(controller) { controller.enqueue('text'); } });
  await throws(() => photos.put('broken', words), 'TypeError', 'made of bytes');
  const error = await throws(() => photos.put('full', 'x'), 'ServiceError', 'bucket.photos: the disk is full');
  equal(error.code, 'other');
});

test('parts are read', async () => {
  await photos.put('range', '0123456789abcdef');
  const part = async (range) => {
    const object = await photos.get('range', { range });
    return `${object.size} ${await object.text()}`;
  };
  equal(await part({ offset: 3, length: 4 }), '4 3456');
  equal(await part({ offset: 14 }), '2 ef');
  equal(await part({ length: 2 }), '2 01');
});

test('what is there is told, listed, copied and removed', async () => {
  equal(await photos.get('none'), null);
  equal(await photos.head('none'), null);
  same(await photos.head('a.txt'), { key: 'a.txt', size: 7, uploaded: new Date(1_000_000) });
  const copies = env.bucket.copies;
  for (const key of ['x/1', 'x/2', 'x/3', 'y']) await copies.put(key, key);
  same(await copies.list(), { keys: ['x/1', 'x/2', 'x/3', 'y'], cursor: null, complete: true });
  const page = await copies.list({ prefix: 'x/', limit: 2 });
  same(page, { keys: ['x/1', 'x/2'], cursor: 'x/2', complete: false });
  same(await copies.list({ prefix: 'x/', cursor: page.cursor }), { keys: ['x/3'], cursor: null, complete: true });
  const all = [];
  for await (const key of copies.keys({ prefix: 'x/' })) all.push(key);
  equal(all.length, 3);
  await copies.copy('y', 'z');
  await copies.move('z', 'from-copies', photos);
  equal(await copies.has('z'), false);
  equal(await text('from-copies'), 'y');
  await copies.delete('y');
  await copies.delete(['x/1', 'x/2', 'gone']);
  same((await copies.list()).keys, ['x/3']);
});

test('what is refused says why', async () => {
  await throws(() => env.bucket['photos-ro'].put('a', 'b'), 'ServiceError', 'reading only');
  await throws(() => photos.put('a', null), 'TypeError', 'the body is null');
  await throws(() => photos.put('a', 'b', { contentType: 'text/html' }), 'TypeError', 'no option "contentType"');
  await throws(() => photos.get('a.txt', { range: { suffix: 3 } }), 'TypeError', 'offset, length');
  const object = await photos.get('a.txt');
  await object.text();
  ok(object.bodyUsed);
  await throws(() => object.text(), 'TypeError', 'read already');
  await throws(() => photos.put('again', object), 'TypeError', 'read already');
  await throws(() => photos.copy('a', 'b', {}), 'TypeError', 'a bucket of env');
});

export default {
  async fetch(_, given) {
    env = given;
    photos = env.photos;
    await run();
    return new Response();
  },
};
