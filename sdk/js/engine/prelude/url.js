// URL: a face of the Rust parser. What was parsed stays in Rust; a part becomes a string when it is asked for.
import native from "dayfly:native";
import { inspectAs } from "dayfly:inspect";
import { linkedSearchParams, refillSearchParams } from "dayfly:url-search-params";
import { StringPrototypeSlice, TypeError, defineInterface, requireArguments, toUSVString } from "dayfly:primordials";

const parse = (url, base) => {
  const text = toUSVString(url);
  return base === undefined ? native.urlParse(text) : native.urlParse(text, toUSVString(base));
};

let fromHandle, handleOf;

export class URL {
  #handle;
  #searchParams = undefined;

  static {
    fromHandle = (handle) => new URL(MADE, handle);
    handleOf = (url) => url.#handle;
  }

  constructor(url, base = undefined) {
    if (url === MADE) {
      this.#handle = base;
      return;
    }
    requireArguments(arguments.length, 1, "URL");
    this.#handle = parse(url, base);
    if (this.#handle === undefined) throw new TypeError(`Invalid URL: ${shown(url)}${base === undefined ? "" : ` (base ${shown(base)})`}`);
  }

  static parse(url, base = undefined) {
    requireArguments(arguments.length, 1, "URL.parse");
    const handle = parse(url, base);
    return handle === undefined ? null : fromHandle(handle);
  }

  static canParse(url, base = undefined) {
    requireArguments(arguments.length, 1, "URL.canParse");
    return parse(url, base) !== undefined;
  }

  get href() { return native.urlGet(this.#handle, HREF); }
  set href(value) {
    const text = toUSVString(value);
    if (!native.urlSet(this.#handle, HREF, text)) throw new TypeError(`Invalid URL: ${shown(text)}`);
    this.#refill();
  }

  get origin() { return native.urlGet(this.#handle, ORIGIN); }

  get protocol() { return native.urlGet(this.#handle, PROTOCOL); }
  set protocol(value) { native.urlSet(this.#handle, PROTOCOL, toUSVString(value)); }

  get username() { return native.urlGet(this.#handle, USERNAME); }
  set username(value) { native.urlSet(this.#handle, USERNAME, toUSVString(value)); }

  get password() { return native.urlGet(this.#handle, PASSWORD); }
  set password(value) { native.urlSet(this.#handle, PASSWORD, toUSVString(value)); }

  get host() { return native.urlGet(this.#handle, HOST); }
  set host(value) { native.urlSet(this.#handle, HOST, toUSVString(value)); }

  get hostname() { return native.urlGet(this.#handle, HOSTNAME); }
  set hostname(value) { native.urlSet(this.#handle, HOSTNAME, toUSVString(value)); }

  get port() { return native.urlGet(this.#handle, PORT); }
  set port(value) { native.urlSet(this.#handle, PORT, toUSVString(value)); }

  get pathname() { return native.urlGet(this.#handle, PATHNAME); }
  set pathname(value) { native.urlSet(this.#handle, PATHNAME, toUSVString(value)); }

  get search() { return native.urlGet(this.#handle, SEARCH); }
  set search(value) {
    native.urlSet(this.#handle, SEARCH, toUSVString(value));
    this.#refill();
  }

  get searchParams() {
    const handle = this.#handle;
    this.#searchParams ??= linkedSearchParams(native.urlGet(handle, QUERY), (query) => { native.urlSet(handle, QUERY, query); });
    return this.#searchParams;
  }

  get hash() { return native.urlGet(this.#handle, HASH); }
  set hash(value) { native.urlSet(this.#handle, HASH, toUSVString(value)); }

  toString() { return native.urlGet(this.#handle, HREF); }
  toJSON() { return native.urlGet(this.#handle, HREF); }

  #refill() {
    if (this.#searchParams !== undefined) refillSearchParams(this.#searchParams, native.urlGet(this.#handle, QUERY));
  }
}

/// What makes a URL of what is parsed already; no script can name it.
const MADE = { __proto__: null };

// The parts, by the numbers that `src/natives/url.rs` knows.
const [HREF, ORIGIN, PROTOCOL, USERNAME, PASSWORD, HOST, HOSTNAME, PORT, PATHNAME, SEARCH, HASH, QUERY] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

/// How much of what is no URL an error says.
const SHOWN_LENGTH_MAX = 200;
const shown = (value) => {
  const text = toUSVString(value);
  return `"${text.length > SHOWN_LENGTH_MAX ? `${StringPrototypeSlice(text, 0, SHOWN_LENGTH_MAX)}…` : text}"`;
};

inspectAs(URL, (url) => native.urlGet(handleOf(url), HREF));
defineInterface(URL);

/// For the prelude's own: a URL, or undefined if the text is none.
export const parseUrl = (text, base = undefined) => {
  const handle = parse(text, base);
  return handle === undefined ? undefined : fromHandle(handle);
};
