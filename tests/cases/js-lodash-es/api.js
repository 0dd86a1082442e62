// lodash-es: the whole of it in one import, and single functions by their files.
import _ from "lodash-es";
import { chunk, groupBy, template } from "lodash-es";
import debounce from "lodash-es/debounce.js";

const users = [
  { user: "ada", age: 36, tags: ["math", "poems"], at: { city: "London" } },
  { user: "grace", age: 85, tags: ["navy", "math"], at: { city: "New York" } },
  { user: "alan", age: 41, tags: [], at: { city: "London" } },
];

const shared = [1];
const ring = { deep: [shared, { shared }], when: new Date(0), match: /x/gi, map: new Map([["k", new Set([1, 2])]]) };
ring.self = ring;

async function debounced() {
  let calls = 0;
  const count = debounce(() => { calls += 1; }, 5);
  for (let i = 0; i < 10; i += 1) count();
  await new Promise((resolve) => setTimeout(resolve, 30));
  return calls;
}

/** `template` makes code of text, which this platform's engine may refuse: then what it says is the answer. */
function templated() {
  try {
    return template("<% for (const u of users) { %><%- u.user %>,<% } %>")({ users });
  } catch (error) {
    return `${error.name}`;
  }
}

export default {
  async fetch() {
    const copy = _.cloneDeep(ring);
    return Response.json({
      version: _.VERSION,
      chunks: chunk(_.range(7), 3),
      groups: _.mapValues(groupBy(users, "at.city"), (group) => _.map(group, "user")),
      sorted: _.orderBy(users, ["at.city", "age"], ["asc", "desc"]).map(_.property("user")),
      tags: _(users).flatMap("tags").countBy().toPairs().sortBy(0).value(),
      merged: _.merge({}, { a: [{ b: 1 }, 2], c: { d: 1 } }, { a: [{ e: 3 }], c: { d: undefined, f: 4 } }),
      cloned: copy !== ring && copy.self === copy && copy.deep[0] === copy.deep[1].shared && _.isEqual(copy.map, ring.map),
      equal: _.isEqual({ a: [1, { b: NaN }] }, { a: [1, { b: NaN }] }),
      words: [_.camelCase("--foo-bar--"), _.kebabCase("fooBar baz"), _.startCase("déjà_vu"), _.truncate("a long text", { length: 8 })],
      set: _.set({}, "a[0].b.c", 4),
      proto: [_.get(_.set({}, "__proto__.polluted", 1), "polluted") ?? null, {}.polluted ?? null],
      memo: _.memoize((n) => n * 2)(21),
      curry: _.curry((a, b, c) => a + b + c)(1)(_, 3)(2),
      flow: _.flow([_.trim, _.upperFirst, (text) => _.padEnd(text, 6, ".")])("  ada "),
      debounced: await debounced(),
      templated: templated(),
    });
  },
};
