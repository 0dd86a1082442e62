// URLPattern from the data of web-platform-tests: patterns, inputs, and what matches how.

const PARTS = ["protocol", "username", "password", "hostname", "port", "pathname", "search", "hash"];

/// Whether a part of a pattern has to be empty or `*` if nobody says more.
const isEmptyWhenMissing = (entry, part) => {
  if (entry.exactly_empty_components?.includes(part)) return true;
  return false;
};

/// A part of the pattern as the first argument and its base say it; undefined if neither does.
const saidPart = (entry, part) => {
  const [first, second] = entry.pattern;
  if (typeof first === "object" && first !== null && first[part] !== undefined) return first[part];
  const base = typeof first === "object" && first !== null ? first.baseURL : typeof second === "string" ? second : undefined;
  if (base === undefined || isEmptyWhenMissing(entry, part) || part === "username" || part === "password") return undefined;
  if (typeof first !== "object") return undefined;
  if (PARTS.slice(0, PARTS.indexOf(part)).some((earlier) => first[earlier] !== undefined && earlier !== "username" && earlier !== "password")) return undefined;
  const url = new URL(base);
  const value = url[part];
  if (part === "protocol") return value.slice(0, -1);
  return part === "search" || part === "hash" ? value.slice(1) : value;
};

export const matching = (data) => {
  for (const entry of data) {
    test(() => {
      if (entry.expected_obj === "error") {
        assert_throws_js(TypeError, () => new URLPattern(...entry.pattern));
        return;
      }
      const pattern = new URLPattern(...entry.pattern);
      for (const part of PARTS) {
        const wanted = entry.expected_obj?.[part] ?? (isEmptyWhenMissing(entry, part) ? "" : saidPart(entry, part));
        if (wanted !== undefined && typeof entry.pattern[0] !== "string") assert_equals(pattern[part], wanted, part);
        else if (entry.expected_obj?.[part] !== undefined) assert_equals(pattern[part], entry.expected_obj[part], part);
      }
      if (entry.expected_match === "error") {
        assert_throws_js(TypeError, () => pattern.test(...entry.inputs));
        assert_throws_js(TypeError, () => pattern.exec(...entry.inputs));
        return;
      }
      assert_equals(pattern.test(...entry.inputs), !!entry.expected_match, "test()");
      const match = pattern.exec(...entry.inputs);
      if (entry.expected_match === null || typeof entry.expected_match !== "object") {
        assert_equals(match, entry.expected_match, "exec()");
        return;
      }
      assert_object_equals(match.inputs, entry.expected_match.inputs ?? entry.inputs, "inputs");
      for (const part of PARTS) {
        const wanted = entry.expected_match[part] ?? { input: "", groups: isEmptyWhenMissing(entry, part) ? {} : { 0: "" } };
        // JSON has null where the match has undefined.
        for (const name in wanted.groups) if (wanted.groups[name] === null) wanted.groups[name] = undefined;
        assert_equals(match[part].input, wanted.input, `${part} input`);
        if (entry.expected_match[part] !== undefined || isEmptyWhenMissing(entry, part)) assert_object_equals(match[part].groups, wanted.groups, `${part} groups`);
      }
    }, `pattern ${JSON.stringify(entry.pattern)} inputs ${JSON.stringify(entry.inputs)}`);
  }
};
