// `env.sql`: tagged templates, prepared statements, batches, transactions.
import { equal, ok, run, same, test, throws } from '../assert.mjs';

let sql, env;

test('a template runs a statement with its values as parameters', async () => {
  await sql`create table person (id integer primary key, name text, data blob, height real)`;
  const evil = "x'; drop table person; --";
  await sql`insert into person (name, height) values (${'ada'}, ${1.75}), (${evil}, ${null})`;
  same(await sql`select id, name, height from person where name = ${evil} or id = ${1} order by id`, [
    { id: 1, name: 'ada', height: 1.75 }, { id: 2, name: evil, height: null },
  ]);
  same(await sql`insert into person (name) values (${'eve'}) returning id`, [{ id: 3 }]);
  same(await sql`select 1 as a where 1 = 2`, []);
});

test('values keep their type', async () => {
  const row = await sql.prepare('select ? as i, ? as r, ? as t, ? as b, ? as n, ? as big, ? as yes, ? as minus').bind(
    7, 0.5, 'ü', new Uint8Array([1, 2]), null, 2n ** 60n, true, -0,
  ).first();
  same(row, { i: 7, r: 0.5, t: 'ü', b: new Uint8Array([1, 2]), n: null, big: 2n ** 60n, yes: 1, minus: -0 });
  same((await sql`select typeof(${7}) as a, typeof(${7.5}) as b, typeof(${new ArrayBuffer(1)}) as c, typeof(${'7'}) as d`)[0], { a: 'integer', b: 'real', c: 'blob', d: 'text' });
  const odd = await sql`select 1 as "__proto__", 2 as "constructor"`;
  same(Object.keys(odd[0]), ['__proto__', 'constructor']);
  equal(Object.getPrototypeOf(odd[0]), Object.prototype);
});

test('a statement gives all, the first, a column, lists, and what it changed', async () => {
  const people = sql.prepare('select id, name from person where id <= ?1 order by id');
  const found = await people.bind(2).all();
  equal(found.success, true);
  same(found.results.map((row) => row.id), [1, 2]);
  same(await people.bind(1).first(), { id: 1, name: 'ada' });
  equal(await people.bind(2).first('name'), 'ada');
  equal(await people.bind(0).first(), null);
  equal(await people.bind(0).first('name'), null);
  same(await people.bind(1).raw(), [[1, 'ada']]);
  same(await people.bind(1).raw({ columnNames: true }), [['id', 'name'], [1, 'ada']]);
  await throws(() => people.bind(1).first('height'), 'ServiceError', 'no column height');
  const { meta } = await sql.prepare('update person set height = 2 where id < ?').bind(3).run();
  equal(meta.changes, 2);
  const inserted = await sql.prepare('insert into person (name) values (?)').bind('zoe').run();
  same([inserted.meta.changes, inserted.meta.last_row_id, inserted.results], [1, 4, []]);
  const returned = await sql.prepare('delete from person where id = ? returning name').bind(4).all();
  same([returned.results, returned.meta.changes], [[{ name: 'zoe' }], 1]);
});

test('a batch is one transaction', async () => {
  const add = sql.prepare('insert into person (name) values (?)');
  const [, second, all] = await sql.batch([add.bind('b1'), add.bind('b2'), sql.prepare('select count(*) as n from person')]);
  equal(second.meta.changes, 1);
  equal(all.results[0].n, 5);
  await throws(() => sql.batch([add.bind('b3'), sql.prepare('insert into nowhere values (1)')]), 'ServiceError', 'statement 2');
  equal(await sql.prepare('select count(*) as n from person').first('n'), 5);
  same(await sql.batch([]), []);
  await throws(() => sql.batch(['select 1']), 'TypeError', 'statement 1 is string');
});

test('several statements without parameters run at once', async () => {
  const text = `
    -- a comment; with a semicolon
    create table t (a text default 'x;y', "odd;name" int); /* another; one */
    insert into t (a) values ('it''s; fine');
    create trigger watch after insert on t begin update t set a = 'seen'; select 1; end;
    insert into t (a) values ('z')`;
  same(await sql.exec(text), { count: 4, changes: 4 });
  equal(await sql.prepare("select count(*) as n from t where a = 'seen'").first('n'), 2);
  same(await sql.exec('  ;; -- nothing\n'), { count: 0, changes: 0 });
});

test('a transaction commits what succeeded and undoes what threw', async () => {
  const names = await sql.transaction(async (tx) => {
    await tx`insert into person (name) values (${'t1'})`;
    const { results } = await tx.prepare('insert into person (name) values (?) returning name').bind('t2').all();
    same(results, [{ name: 't2' }]);
    return tx`select name from person where name like 't_' order by name`;
  });
  same(names.map((row) => row.name), ['t1', 't2']);
  let kept;
  await throws(() => sql.transaction(async (tx) => {
    kept = tx;
    await tx`delete from person`;
    throw new RangeError('undo it');
  }), 'RangeError');
  await throws(() => kept`select 1`, 'TypeError', 'the transaction has ended');
});

test('a transaction is not bypassed, and several wait for each other', async () => {
  await throws(() => sql.transaction(() => sql`delete from t`), 'ServiceError', 'a transaction of this function is open');
  const order = [];
  const work = (name) => sql.transaction(async (tx) => {
    order.push(`${name} begins`);
    await new Promise((done) => setTimeout(done, 5));
    await tx`select 1`;
    order.push(`${name} ends`);
  });
  await Promise.all([work('a'), work('b'), work('c')]);
  same(order, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});

test('what is refused says why', async () => {
  const error = await throws(() => sql`select * from nowhere`, 'ServiceError', 'no such table');
  same([error.code, error.resource], ['sql', 'sql.shop']);
  await throws(() => env.sql['denied-too']`select 1`, 'ServiceError', 'not granted');
  await throws(() => sql('select 1'), 'TypeError', 'without parentheses');
  await throws(() => sql.prepare('select ?').bind(undefined), 'TypeError', 'parameter 1 is undefined: give null');
  await throws(() => sql.prepare('select ?').bind(new Date()), 'TypeError', 'toISOString');
  await throws(() => sql`select ${{ a: 1 }}`, 'TypeError', 'JSON.stringify');
  await throws(() => sql`select ${2n ** 63n}`, 'RangeError', 'beyond 64 bits');
  await throws(() => sql.prepare(7), 'TypeError', 'must be a string');
  ok(Object.isFrozen(sql));
});

export default {
  async fetch(_, given) {
    env = given;
    sql = env.sql.shop;
    await run();
    return new Response();
  },
};
