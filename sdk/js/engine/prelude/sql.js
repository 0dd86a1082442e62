// `env.sql.NAME`: SQL databases. A database is a function too: as a tag of a template it runs a statement with the values as parameters.
import {
  ArrayFrom, ArrayIsArray, ArrayPrototypeIndexOf, BigInt, Function, ObjectCreate, ObjectFreeze, ObjectSetPrototypeOf, PromisePrototypeThen,
  PromiseResolve, RangeError, RegExpPrototypeExec, StringPrototypeToWellFormed, SymbolToStringTag, TypeError, WeakMap, WeakMapPrototypeGet,
  WeakMapPrototypeSet, append, bytesOf, defineHidden, defineProperty, nullObject,
} from "dayfly:primordials";
import native from "dayfly:native";
import { ServiceError, ask, nameOf, optionsOf, textOf } from "dayfly:service";
import { statementsOf } from "dayfly:sql-text";

const { asIntN } = BigInt;

const parameterOf = (value, index) => {
  switch (typeof value) {
    case "string": return StringPrototypeToWellFormed(value);
    case "number": case "boolean": return value;
    case "bigint":
      if (asIntN(64, value) !== value) throw new RangeError(`parameter ${index + 1} is beyond 64 bits`);
      return value;
  }
  if (value === null) return null;
  const bytes = bytesOf(value);
  if (bytes !== undefined) return bytes;
  const name = nameOf(value);
  const help = name === "undefined" ? "give null for no value" : name === "Date" ? "give its toISOString() or getTime()" : "give its JSON.stringify(…)";
  throw new TypeError(`parameter ${index + 1} is ${name}: ${help}`);
};

const parametersOf = (values) => {
  const parameters = [];
  for (let i = 0; i < values.length; i++) append(parameters, parameterOf(values[i], i));
  return parameters;
};

// What can give rows and change nothing: it needs no transaction to tell both.
const READS = /^\s*(?:--[^\n]*\n\s*|\/\*[\s\S]*?\*\/\s*)*(?:select|values|explain|pragma)\b/i;
const GIVES_ROWS = /\breturning\b/i;
const isRead = (text) => RegExpPrototypeExec(READS, text) !== null;

// A connection of a function, opened when it is first needed. `transactions` are queued: each has a connection of its own, and two that
// write would wait for each other.
class Connection {
  constructor(database) {
    this.database = database;
    this.resource = `sql.${database}`;
    this.id = 0;
    this.isTransaction = false;
    this.transaction = null;
    this.last = PromiseResolve();
  }

  number(mayWrite) {
    if (mayWrite && this.transaction !== null) {
      throw new ServiceError(this.resource, "busy", "a transaction of this function is open on it: ask the transaction, or wait until it has ended");
    }
    if (this.id === 0 && this.isTransaction) throw new TypeError(`${this.resource}: the transaction has ended`);
    if (this.id === 0) this.id = ask(this.resource, native.sqlOpen, this.database);
    return this.id;
  }

  /// Rows and what was changed, of one statement.
  run(text, parameters, isRaw) {
    const reads = isRead(text);
    const id = this.number(!reads);
    if (reads || (this.isTransaction && RegExpPrototypeExec(GIVES_ROWS, text) !== null)) {
      const { 0: rows, 1: columns } = ask(this.resource, native.sqlQuery, id, text, parameters, isRaw);
      return { rows, columns, changes: reads ? 0 : rows.length, last: 0 };
    }
    if (this.isTransaction) {
      const { 0: changes, 1: last } = ask(this.resource, native.sqlExecute, id, text, parameters);
      return { rows: [], columns: [], changes, last };
    }
    return this.batch([text], [parameters], isRaw)[0];
  }

  batch(texts, parameters, isRaw) {
    const outcomes = ask(this.resource, native.sqlBatch, this.number(true), texts, parameters, isRaw);
    const all = [];
    for (let i = 0; i < outcomes.length; i++) {
      const { 0: { 0: rows, 1: columns }, 1: { 0: changes, 1: last } } = outcomes[i];
      append(all, { rows, columns, changes, last });
    }
    return all;
  }

  close() {
    if (this.id !== 0) native.sqlClose(this.id);
    this.id = 0;
  }
}

const resultOf = ({ rows, changes, last }) => ({ success: true, results: rows, meta: { changes, last_row_id: last } });

/// Whether a value is a statement; what `batch` needs of it.
let isStatement, partsOf;

class Statement {
  #connection;
  #text;
  #parameters;

  constructor(connection, text, parameters) {
    this.#connection = connection;
    this.#text = text;
    this.#parameters = parameters;
  }

  bind(...values) {
    return new Statement(this.#connection, this.#text, parametersOf(values));
  }

  async all() {
    return resultOf(this.#run(false));
  }

  async run() {
    return resultOf(this.#run(false));
  }

  async first(column = undefined) {
    const { rows, columns } = this.#run(true);
    const at = column === undefined ? -1 : ArrayPrototypeIndexOf(columns, column);
    if (column !== undefined && at === -1) {
      throw new ServiceError(this.#connection.resource, "sql", `the statement gives no column ${textOf(column, "the column")}`);
    }
    if (rows.length === 0) return null;
    if (column !== undefined) return rows[0][at];
    const row = {};
    for (let i = 0; i < columns.length; i++) {
      defineProperty(row, columns[i], { __proto__: null, value: rows[0][i], writable: true, enumerable: true, configurable: true });
    }
    return row;
  }

  async raw(options = undefined) {
    const { columnNames } = optionsOf(options, nullObject({ columnNames: 1 }), "raw");
    const { rows, columns } = this.#run(true);
    if (!columnNames) return rows;
    const all = [columns];
    for (let i = 0; i < rows.length; i++) append(all, rows[i]);
    return all;
  }

  #run(isRaw) {
    return this.#connection.run(this.#text, this.#parameters, isRaw);
  }

  static {
    isStatement = (value) => value !== null && typeof value === "object" && #text in value;
    partsOf = (statement) => ({ connection: statement.#connection, text: statement.#text, parameters: statement.#parameters });
  }
}
defineHidden(Statement.prototype, SymbolToStringTag, "SqlStatement");

const prepare = (connection, text) => new Statement(connection, textOf(text, "the statement"), []);

// Values go in as `?1`, `?2` …, never as text.
const tagged = (connection, strings, values) => {
  if (!ArrayIsArray(strings) || strings.raw === undefined) {
    throw new TypeError(`${connection.resource} is a tag: write env.${connection.resource}\`select …\` without parentheses, or prepare(text)`);
  }
  let text = StringPrototypeToWellFormed(strings[0]);
  // The blank keeps a digit that follows from being read as one of the number's.
  for (let i = 1; i < strings.length; i++) text += `?${i} ${StringPrototypeToWellFormed(strings[i])}`;
  return connection.run(text, parametersOf(values), false).rows;
};

const batch = (connection, statements) => {
  const given = ArrayFrom(statements);
  const texts = [], parameters = [];
  for (let i = 0; i < given.length; i++) {
    if (!isStatement(given[i])) throw new TypeError(`statement ${i + 1} is ${nameOf(given[i])}: give what prepare or bind gave`);
    const parts = partsOf(given[i]);
    if (parts.connection !== connection) throw new TypeError(`statement ${i + 1} belongs to ${parts.connection.resource}, or to a transaction`);
    append(texts, parts.text);
    append(parameters, parts.parameters);
  }
  const results = [];
  if (texts.length === 0) return results;
  const outcomes = connection.batch(texts, parameters, false);
  for (let i = 0; i < outcomes.length; i++) append(results, resultOf(outcomes[i]));
  return results;
};

const exec = (connection, text) => {
  const texts = statementsOf(textOf(text, "the text"));
  const parameters = [];
  for (let i = 0; i < texts.length; i++) append(parameters, []);
  let changes = 0;
  const outcomes = texts.length === 0 ? [] : connection.batch(texts, parameters, true);
  for (let i = 0; i < outcomes.length; i++) changes += outcomes[i].changes;
  return { count: texts.length, changes };
};

const transact = async (connection, work) => {
  const own = new Connection(connection.database);
  own.number(false);
  own.isTransaction = true;
  try {
    ask(own.resource, native.sqlTransaction, own.id, "begin");
    connection.transaction = own;
    const value = await work(callable(own, TransactionPrototype));
    ask(own.resource, native.sqlTransaction, own.id, "commit");
    return value;
  } finally {
    // What was not committed is rolled back with the connection.
    connection.transaction = null;
    own.close();
  }
};

const connections = new WeakMap();
const of = (sql) => {
  const connection = typeof sql === "function" ? WeakMapPrototypeGet(connections, sql) : undefined;
  if (connection === undefined) throw new TypeError("this is no database: call it as a method of env.sql.NAME");
  return connection;
};

const TransactionPrototype = ObjectCreate(Function.prototype);
const SqlPrototype = ObjectCreate(Function.prototype);
const methods = {
  prepare(text) { return prepare(of(this), text); },
  async batch(statements) { return batch(of(this), statements); },
  async exec(text) { return exec(of(this), text); },
  async transaction(work) {
    const connection = of(this);
    if (typeof work !== "function") throw new TypeError(`${connection.resource}.transaction takes a function of the transaction, not ${nameOf(work)}`);
    const begin = () => transact(connection, work);
    const done = PromisePrototypeThen(connection.last, begin);
    connection.last = PromisePrototypeThen(done, () => {}, () => {});
    return done;
  },
};
defineHidden(TransactionPrototype, "prepare", methods.prepare);
defineHidden(SqlPrototype, "prepare", methods.prepare);
defineHidden(SqlPrototype, "batch", methods.batch);
defineHidden(SqlPrototype, "exec", methods.exec);
defineHidden(SqlPrototype, "transaction", methods.transaction);
defineHidden(TransactionPrototype, SymbolToStringTag, "SqlTransaction");
defineHidden(SqlPrototype, SymbolToStringTag, "Sql");

const callable = (connection, prototype) => {
  const sql = async (strings, ...values) => tagged(connection, strings, values);
  ObjectSetPrototypeOf(sql, prototype);
  WeakMapPrototypeSet(connections, sql, connection);
  return ObjectFreeze(sql);
};

export const openSql = (database) => callable(new Connection(database), SqlPrototype);
