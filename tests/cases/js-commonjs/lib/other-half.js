const half = require("./half");
exports.done = half.done;
