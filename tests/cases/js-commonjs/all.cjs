// CommonJS, as older packages are: a cycle, JSON, and `module.exports` of both kinds.
const { join } = require("./lib/join");
const counted = require("./lib/counted.json");
const half = require("./lib/half");

module.exports = { joined: join("a", "b"), count: counted.count, half: half.done, other: half.other.done, kind: typeof module, strict: this === undefined };
