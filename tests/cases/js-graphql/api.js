// GraphQL: a schema made at deploy; queries with variables, fragments and errors are answered from it.
import { buildSchema, graphql, GraphQLError, introspectionFromSchema, parse, validate } from "graphql";

const schema = buildSchema(`
  type Query { product(id: ID!): Product, products(below: Int = 100): [Product!]! }
  type Mutation { rename(id: ID!, name: String!): Product }
  type Product { id: ID!, name: String!, cents: Int!, related: [Product!]!, secret: String }
`);

class Product {
  constructor(id, name, cents) {
    Object.assign(this, { id, name, cents });
  }
  async related() {
    return products.filter(({ id }) => id !== this.id);
  }
  secret() {
    throw new GraphQLError("not for you", { extensions: { code: "FORBIDDEN" } });
  }
}

const products = [new Product("1", "lamp", 50), new Product("2", "chair", 120)];
const find = (id) => products.find((product) => product.id === id);
const rootValue = {
  product: ({ id }) => find(id),
  products: ({ below }) => products.filter(({ cents }) => cents < below),
  rename: ({ id, name }) => new Product(id, name, find(id).cents),
};

export default {
  async fetch(request) {
    if (new URL(request.url).pathname === "/schema") {
      return Response.json(introspectionFromSchema(schema).__schema.types.map(({ name }) => name).filter((name) => !name.startsWith("__")));
    }
    const { query, variables } = await request.json();
    const wrong = validate(schema, parse(query));
    if (wrong.length) return Response.json({ errors: wrong }, { status: 400 });
    return Response.json(await graphql({ schema, source: query, rootValue, variableValues: variables }));
  },
};
