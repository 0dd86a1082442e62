// The order of timers, jobs and waits.
import { ok, run, same, test } from "./assert.mjs";

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

test("timers of nothing that start each other let the time of others come", async () => {
  let isDone = false;
  setTimeout(() => { isDone = true; }, 20);
  while (!isDone) await new Promise((resolve) => setTimeout(resolve, 0));
  const signal = AbortSignal.timeout(20);
  const loop = async () => {
    while (!signal.aborted) await new Promise((resolve) => setTimeout(resolve));
  };
  await Promise.all([loop(), loop(), loop()]);
  let turns = 0;
  const again = () => { if (!isDone) setTimeout(again, 0, ++turns); };
  isDone = false;
  again();
  again();
  await new Promise((resolve) => setTimeout(resolve, 10));
  isDone = true;
  ok(turns > 2);
});

test("what a timer starts waits for the next turn", async () => {
  const seen = [];
  setTimeout(() => { seen.push("a"); setTimeout(() => seen.push("later")); });
  setTimeout(() => seen.push("b"));
  await new Promise((resolve) => setTimeout(resolve, 5));
  same(seen, ["a", "b", "later"]);
});

await run();
