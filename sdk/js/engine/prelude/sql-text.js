// Where statements end within a text, for `exec`. A semicolon ends one unless it stands within quotes or a comment, or in the body of a trigger.
import { RegExpPrototypeExec, StringPrototypeSlice, StringPrototypeTrim, append } from "dayfly:primordials";

// One token a match: quoted text with doubled quotes, a name in brackets, a comment, a word, a semicolon, anything else.
const TOKEN = /'(?:[^']|'')*'?|"(?:[^"]|"")*"?|`(?:[^`]|``)*`?|\[[^\]]*\]?|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|[a-z_]\w*|;|[\s\S]/iy;
const COMMENT = /^(?:--|\/\*)/;
const TRIGGER = /^\s*create\s+(?:temp\s+|temporary\s+)?trigger\b/i;
const END = /^end$/i;

/// The statements of a text, without their semicolons; empty ones are left out.
export const statementsOf = (text) => {
  const statements = [];
  let from = 0, present = "", isEmpty = true, wasEnd = false;
  const end = (to) => {
    if (!isEmpty) append(statements, StringPrototypeTrim(StringPrototypeSlice(text, from, to)));
    from = to + 1;
    present = "";
    isEmpty = true;
  };
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const { 0: token } = RegExpPrototypeExec(TOKEN, text);
    if (token === ";" && (wasEnd || RegExpPrototypeExec(TRIGGER, present) === null)) end(at);
    else if (RegExpPrototypeExec(COMMENT, token) === null && StringPrototypeTrim(token) !== "") {
      isEmpty = false;
      wasEnd = RegExpPrototypeExec(END, token) !== null;
    }
    // Long enough to tell a trigger; comments and what lies between words count as one blank.
    if (!isEmpty && present.length < 64) present += RegExpPrototypeExec(COMMENT, token) === null ? token : " ";
  }
  end(text.length);
  return statements;
};
