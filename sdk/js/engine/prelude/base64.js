// atob and btoa.
import native from "dayfly:native";
import { domException } from "dayfly:dom-exception";
import { defineGlobal, requireArguments, toDOMString } from "dayfly:primordials";

const functions = {
  atob(data) {
    requireArguments(arguments.length, 1, "atob");
    const decoded = native.base64Decode(toDOMString(data));
    if (decoded === undefined) throw domException("InvalidCharacterError", "atob: the text is not base 64");
    return decoded;
  },
  btoa(data) {
    requireArguments(arguments.length, 1, "btoa");
    const encoded = native.base64Encode(toDOMString(data));
    if (encoded === undefined) throw domException("InvalidCharacterError", "btoa: the text has a character above U+00FF; encode it with a TextEncoder first");
    return encoded;
  },
};
defineGlobal("atob", functions.atob);
defineGlobal("btoa", functions.btoa);
