// CommonJS, as older packages are: a cycle, JSON, `module.exports` of both kinds, and an ES module that imports it.
const { join } = require("./lib/join");
const counted = require("./lib/counted.json");
const half = require("./lib/half");

exports.default = { fetch: () => Response.json([join("a", "b"), counted.count, half.done, half.other.done, typeof module, this === undefined]) };
