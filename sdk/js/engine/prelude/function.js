// `env.NAME` of another function of the app: called within the node, as `http://NAME.internal`.
import { ObjectFreeze, StringPrototypeStartsWith, SymbolToStringTag, TypeError, defineHidden } from "dayfly:primordials";
import { parseUrl } from "dayfly:url";
import { Request, isRequest } from "dayfly:request";
import { fetch } from "dayfly:fetch";

class Func {
  #origin;

  constructor(name) {
    this.#origin = `http://${name}.internal`;
  }

  /// The address says what is asked of the function; which function that is was settled by the manifest.
  async fetch(input, init = undefined) {
    if (isRequest(input)) return fetch(new Request(this.#addressed(input.url), new Request(input, init)));
    return fetch(this.#addressed(`${input}`), init);
  }

  #addressed(url) {
    if (StringPrototypeStartsWith(url, "/")) return this.#origin + url;
    const parsed = parseUrl(url);
    if (parsed === undefined) throw new TypeError(`"${url}" is no address: give a path such as "/orders/7", or a full URL`);
    return this.#origin + parsed.pathname + parsed.search;
  }
}
defineHidden(Func.prototype, SymbolToStringTag, "Func");

export const openFunction = (name) => ObjectFreeze(new Func(name));
