// ES modules, CommonJS, JSON and text import each other.
import { equal, run, same, test } from "./assert.mjs";
import common from "./modules/common.cjs";
import data from "./modules/data.json";
import text from "./modules/text.txt";

test("CommonJS has a default export", () => {
  equal(common.name, "common");
});
test("a required module is the same as the imported one", () => equal(common.data, data));
test("CommonJS requires ES modules", () => equal(common.es.answer, 42));
test("JSON is its value", () => same(data, { list: [1, 2] }));
test("text is a string", () => equal(text, "plain\n"));
test("a module can be imported while running", async () => equal((await import("./modules/es.mjs")).answer, 42));

await run();
