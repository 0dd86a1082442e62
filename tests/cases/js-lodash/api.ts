// Packages of CommonJS, imported by names that they declare nowhere: lodash whole, in parts and as a namespace, Handlebars, Ajv.
import _, { chunk, groupBy, template } from "lodash";
import * as all from "lodash";
import fp from "lodash/fp";
import orderBy from "lodash/orderBy";
import Handlebars from "handlebars";
import Ajv, { type JSONSchemaType } from "ajv";

interface Order { id: number; items: string[]; note?: string }
const schema: JSONSchemaType<Order> = {
  type: "object",
  properties: { id: { type: "integer", minimum: 1 }, items: { type: "array", items: { type: "string" }, minItems: 1 }, note: { type: "string", nullable: true } },
  required: ["id", "items"],
  additionalProperties: false,
};
// It writes the text of a function and compiles it: once, at deploy.
const validate = new Ajv({ allErrors: true }).compile(schema);

Handlebars.registerHelper("price", (cents: number) => (cents / 100).toFixed(2));
Handlebars.registerPartial("line", "<li>{{name}} {{price cents}}</li>");
const page = Handlebars.compile("<ul>{{#each lines}}{{> line}}{{else}}none{{/each}}</ul>{{{raw}}}");

export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method === "POST") {
      const order: unknown = await request.json();
      return validate(order) ? Response.json(order.items.length) : Response.json(validate.errors, { status: 422 });
    }
    const people = [{ name: "ada", age: 36 }, { name: "bob", age: 20 }, { name: "cy", age: 36 }];
    return Response.json({
      version: _.VERSION === all.VERSION,
      chain: _.chain(people).map("age").uniq().sortBy().value(),
      named: [chunk([1, 2, 3], 2), Object.keys(groupBy(people, "age"))],
      template: template("<% for (const p of people) { %>[<%- p.name %>]<% } %>")({ people: [{ name: "<a>" }] }),
      namespace: [all.camelCase("foo bar-baz"), all.isEqual({ a: [1] }, { a: [1] })],
      fp: fp.flow(fp.filter(({ age }) => age > 30), fp.map("name"), fp.join("+"))(people),
      part: orderBy(people, ["age", "name"], ["asc", "desc"]).map(({ name }) => name),
      deep: _.merge({ a: [{ b: 1 }] }, { a: [{ c: 2 }] }),
      page: page({ lines: [{ name: "a & b", cents: 150 }], raw: "<hr>" }) + page({}),
    });
  },
};
