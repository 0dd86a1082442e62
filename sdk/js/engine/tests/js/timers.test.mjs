// The order of timers, jobs and waits.
import { run, same, test } from "./assert.mjs";

test("jobs run before timers, and timers by their deadline", async () => {
  const seen = [];
  await new Promise((done) => {
    setTimeout(() => (seen.push("20 ms"), done()), 20);
    setTimeout(() => seen.push("10 ms"), 10);
    setTimeout(() => seen.push("0 ms"));
    Promise.resolve().then(() => seen.push("job"));
  });
  same(seen, ["job", "0 ms", "10 ms", "20 ms"]);
});
test("a stopped timer does not fire", async () => {
  const seen = [];
  clearTimeout(setTimeout(() => seen.push("stopped"), 1));
  await new Promise((done) => setTimeout(done, 5));
  same(seen, []);
});

await run();
