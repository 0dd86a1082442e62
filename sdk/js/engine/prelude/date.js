// Setters of `Date`, where the engine leaves the date as it was if an argument is no number; it has to become invalid.
import { Date, ReflectApply, defineProperty, uncurryThis } from "dayfly:primordials";

const setTime = uncurryThis(Date.prototype.setTime);

const mend = (name) => {
  const original = Date.prototype[name];
  const { [name]: mended } = {
    [name](...args) {
      const time = ReflectApply(original, this, args);
      return time === time ? time : setTime(this, time);
    },
  };
  defineProperty(mended, "length", { __proto__: null, value: original.length, configurable: true });
  defineProperty(Date.prototype, name, { __proto__: null, value: mended, writable: true, enumerable: false, configurable: true });
};

const FIELDS = ["Milliseconds", "Seconds", "Minutes", "Hours", "Date", "Month", "FullYear"];
for (let i = 0; i < FIELDS.length; i++) {
  mend(`set${FIELDS[i]}`);
  mend(`setUTC${FIELDS[i]}`);
}
