// How values read in the log. The log itself is looked at in tests/all/console.rs; here it must only not throw.
import { run, test } from "./assert.mjs";

test("nothing that is logged throws", () => {
  const cycle = { list: [] };
  cycle.list.push(cycle, new Map([[cycle, new Set([cycle])]]));
  const trap = new Proxy({}, { get() { throw new Error("trap"); }, ownKeys() { throw new Error("trap"); }, getPrototypeOf() { throw new Error("trap"); } });
  const liar = new Error("x");
  Object.defineProperty(liar, "stack", { get() { throw new Error("getter"); } });
  const named = Object.create({ get constructor() { throw new Error("getter"); } });
  for (const value of [cycle, trap, liar, named, Object.create(null), Symbol("s"), 1n, -0, null, undefined, new (class extends Array {})(), [trap], () => trap]) {
    for (const method of ["log", "debug", "info", "warn", "error", "trace", "dir", "table"]) console[method](value);
    console.log("%s %d %i %f %o %O %j %c %%", value, value, value, value, value, value, value, value);
  }
  console.groupEnd();
  console.log("%");
  console.log();
  let deep = {};
  for (let i = 0; i < 100_000; i++) deep = { deep };
  console.log(deep, [deep]);
  console.log("x".repeat(100_000), ["x".repeat(100_000)], new Array(1e6), new Uint8Array(1e6));
});

await run();
