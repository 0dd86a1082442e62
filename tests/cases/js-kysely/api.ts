// Kysely: queries that TypeScript checks, over a database of the app. The driver is the few lines that every platform needs.
import {
  Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, sql, type CompiledQuery, type DatabaseConnection, type Generated,
  type Driver, type QueryResult,
} from "kysely";

interface Tables {
  product: { id: Generated<number>; name: string; cents: number };
  sale: { id: Generated<number>; product: number; count: number };
}

interface Statement { bind(...values: readonly unknown[]): Statement; all(): Promise<{ results: unknown[]; meta: { changes: number; last_row_id: number } }> }
interface Env { shop: { prepare(text: string): Statement; exec(text: string): Promise<unknown> } }

class Connection implements DatabaseConnection {
  constructor(private readonly database: Env["shop"]) {}

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { results, meta } = await this.database.prepare(sql).bind(...parameters).all();
    return { rows: results as R[], numAffectedRows: BigInt(meta.changes), insertId: BigInt(meta.last_row_id) };
  }

  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("rows come all at once");
  }
}

const driver = (database: Env["shop"]): Driver => ({
  init: async () => {},
  acquireConnection: async () => new Connection(database),
  beginTransaction: async () => {},
  commitTransaction: async () => {},
  rollbackTransaction: async () => {},
  releaseConnection: async () => {},
  destroy: async () => {},
});

const open = (database: Env["shop"]) =>
  new Kysely<Tables>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => driver(database),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });

async function fill(db: Kysely<Tables>) {
  const { schema } = db;
  await schema.createTable("product").addColumn("id", "integer", (c) => c.primaryKey()).addColumn("name", "text", (c) => c.notNull()).addColumn("cents", "integer").execute();
  await schema.createTable("sale").addColumn("id", "integer", (c) => c.primaryKey()).addColumn("product", "integer").addColumn("count", "integer").execute();
  await db.insertInto("product").values([{ name: "lamp", cents: 50 }, { name: "it's", cents: 120 }]).execute();
  await db.insertInto("sale").values([{ product: 1, count: 2 }, { product: 1, count: 3 }, { product: 2, count: 1 }]).execute();
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const db = open(env.shop);
    await fill(db);
    const sums = db
      .selectFrom("sale")
      .innerJoin("product", "product.id", "sale.product")
      .select(({ fn }) => ["product.name", fn.sum<number>("sale.count").as("count")])
      .groupBy("product.name")
      .orderBy("count", "desc");
    const { numUpdatedRows } = await db.updateTable("product").set({ cents: sql`cents * 2` }).where("name", "=", "it's").executeTakeFirstOrThrow();
    const one = await db.deleteFrom("product").where("cents", ">", 200).returningAll().executeTakeFirst();
    const wrong = await db.selectFrom("product").select("cents").where(sql<boolean>`nothing = 1`).execute().catch((error: Error) => error.name);
    const tables = await db.introspection.getTables();
    return Response.json({ text: sums.compile().sql, sums: await sums.execute(), updated: Number(numUpdatedRows), one, wrong, tables: tables.map(({ name }) => name).filter((name) => !name.startsWith("_")).sort() });
  },
};
