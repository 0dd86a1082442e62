// URLs from the data of web-platform-tests: what parses to what, and what setters do.

const PARTS = ["href", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"];

/// `urltestdata.json`: an input, perhaps a base, and the parts or a failure.
export const constructor = (data) => {
  for (const expected of data) {
    if (typeof expected === "string") continue;
    const { input, base } = expected;
    const make = () => (base === null || base === undefined ? new URL(input) : new URL(input, base));
    const name = base === null || base === undefined ? `<${input}>` : `<${input}> against <${base}>`;
    test(() => {
      if (expected.failure) {
        assert_throws_js(TypeError, make);
        assert_false(base === null || base === undefined ? URL.canParse(input) : URL.canParse(input, base));
        return;
      }
      const url = make();
      for (const part of PARTS) assert_equals(url[part], expected[part], part);
      if ("origin" in expected) assert_equals(url.origin, expected.origin, "origin");
      assert_equals(new URL(url.href).href, url.href, "parsed again");
      if ("searchParams" in expected) assert_equals(`${url.searchParams}`, expected.searchParams);
    }, name);
  }
};

/// `setters_tests.json`: a part, what is set, and what the URL is then.
export const setters = (data) => {
  for (const [part, cases] of Object.entries(data)) {
    if (part === "comment") continue;
    for (const { href, new_value: value, expected } of cases) {
      test(() => {
        const url = new URL(href);
        url[part] = value;
        for (const [name, wanted] of Object.entries(expected)) assert_equals(url[name], wanted, name);
      }, `<${href}> set ${part} to <${value}>`);
    }
  }
};
