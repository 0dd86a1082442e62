// What the global object says of itself.
import { TypeError, defineGlobal, defineInterface } from "dayfly:primordials";

const MADE = { __proto__: null };

class Navigator {
  constructor(made) {
    if (made !== MADE) throw new TypeError("Navigator can't be constructed");
  }

  /// The first word is the product, as WinterTC's minimum common API asks.
  get userAgent() { return "dayfly"; }
  get language() { return "en"; }
  get hardwareConcurrency() { return 1; }
}

defineInterface(Navigator);
defineGlobal("navigator", new Navigator(MADE));
defineGlobal("self", globalThis);
