// Dates where the language says something that is easily forgotten.
import { run, same, test } from "./assert.mjs";

test("a part that is no number makes the date invalid", () => {
  for (const name of Object.getOwnPropertyNames(Date.prototype).filter((name) => name.startsWith("set") && name !== "setYear")) {
    for (const value of [NaN, undefined, "never", Infinity]) {
      const date = new Date(0);
      same([name, Number.isNaN(date[name](value)), Number.isNaN(date.getTime())], [name, true, true]);
    }
  }
  const date = new Date(0);
  date.setUTCFullYear(2024, 1, NaN);
  same(Number.isNaN(+date), true);
});
test("a part that is a number is set as before", () => {
  const date = new Date(Date.UTC(2024, 1, 29, 13, 45, 6, 789));
  same(date.setUTCFullYear(2025), Date.UTC(2025, 2, 1, 13, 45, 6, 789));
  same(date.setUTCHours(1, 2, 3, 4), Date.UTC(2025, 2, 1, 1, 2, 3, 4));
  same([date.setUTCHours.length, date.setUTCHours.name, date.setMonth.length], [4, "setUTCHours", 2]);
  const invalid = new Date(NaN);
  same(invalid.setUTCFullYear(2024), Date.UTC(2024, 0, 1));
});

await run();
