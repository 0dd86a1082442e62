exports.done = false;
exports.other = require("./other-half");
exports.done = true;
