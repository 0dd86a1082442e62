// console.table: rows and columns in text.
import { inspect } from "dayfly:inspect";
import {
  ArrayIsArray, ArrayPrototypeIndexOf, ArrayPrototypeJoin, MathMax, ObjectGetOwnPropertyDescriptor, ObjectKeys, String, StringPrototypePadEnd,
  StringPrototypeRepeat, append,
} from "dayfly:primordials";

const ROWS_MAX = 1_000;
const COLUMNS_MAX = 50;
const INDEX = "(index)";
const VALUES = "Values";

/// The table of an array or an object; undefined of anything else.
export const formatTable = (data, wanted = undefined) => {
  if (typeof data !== "object" || data === null) return undefined;
  const rows = [];
  const columns = [];
  let hasValues = false;
  const names = ObjectKeys(data);
  for (let i = 0; i < names.length && i < ROWS_MAX; i++) {
    const item = ObjectGetOwnPropertyDescriptor(data, names[i])?.value;
    const cells = { __proto__: null };
    if (typeof item === "object" && item !== null) collect(item, cells, columns, wanted);
    else hasValues = true;
    append(rows, { __proto__: null, name: names[i], cells, value: typeof item === "object" && item !== null ? "" : inspect(item) });
  }
  const heads = [INDEX];
  for (let i = 0; i < columns.length; i++) append(heads, columns[i]);
  if (hasValues) append(heads, VALUES);
  return draw(heads, rows, columns, hasValues);
};

const collect = (item, cells, columns, wanted) => {
  const keys = ArrayIsArray(wanted) ? wanted : ObjectKeys(item);
  for (let i = 0; i < keys.length; i++) {
    const key = String(keys[i]);
    if (ArrayPrototypeIndexOf(columns, key) < 0) {
      if (columns.length >= COLUMNS_MAX) continue;
      append(columns, key);
    }
    const descriptor = ObjectGetOwnPropertyDescriptor(item, key);
    if (descriptor !== undefined) cells[key] = inspect(descriptor.value, 1);
  }
};

const draw = (heads, rows, columns, hasValues) => {
  const lines = [heads];
  for (let i = 0; i < rows.length; i++) {
    const line = [rows[i].name];
    for (let j = 0; j < columns.length; j++) append(line, rows[i].cells[columns[j]] ?? "");
    if (hasValues) append(line, rows[i].value);
    append(lines, line);
  }
  const widths = [];
  for (let j = 0; j < heads.length; j++) {
    let width = 0;
    for (let i = 0; i < lines.length; i++) width = MathMax(width, lines[i][j].length);
    append(widths, width);
  }
  const rule = (left, middle, right) => {
    const parts = [];
    for (let j = 0; j < widths.length; j++) append(parts, StringPrototypeRepeat("─", widths[j] + 2));
    return left + ArrayPrototypeJoin(parts, middle) + right;
  };
  const text = [rule("┌", "┬", "┐")];
  for (let i = 0; i < lines.length; i++) {
    const cells = [];
    for (let j = 0; j < widths.length; j++) append(cells, ` ${StringPrototypePadEnd(lines[i][j], widths[j])} `);
    append(text, `│${ArrayPrototypeJoin(cells, "│")}│`);
    if (i === 0) append(text, rule("├", "┼", "┤"));
  }
  append(text, rule("└", "┴", "┘"));
  return ArrayPrototypeJoin(text, "\n");
};
