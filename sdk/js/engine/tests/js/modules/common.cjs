// A CommonJS module of the test beside.
exports.name = "common";
exports.data = require("./data.json");
exports.es = require("./es.mjs");
