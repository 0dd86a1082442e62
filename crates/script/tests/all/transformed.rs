//! TypeScript and JSX, and where their places came from.

use expect_test::expect;

use crate::support::{Folder, code, outline};

const TYPES: &str = "\
import type { Other } from './nowhere'
import { type Also, real } from './real'
import { Unused } from './unused'
interface Env { a: string }

enum Colour { Red, Green = 'g' }
namespace Names { export const x = 1 }
class Point { constructor(private readonly x: number, public y?: Unused) {} }
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const value = real<string>(env.a!) as unknown as string satisfies string
    using handle = open()
    throw new Error(`ä ${value} ${Colour.Red} ${Names.x} ${new Point(1)}`)
  },
}
";

#[test]
fn types_go_and_unused_imports_with_them() {
    let folder = Folder::with(&[("api.ts", TYPES), ("real.ts", "export function real<T>(x: T): T { return x }")]);
    let collected = folder.collect("api.ts").expect("a script");
    expect![[r#"
        api.ts Module ./real=real.ts
        real.ts Module"#]]
    .assert_eq(&outline(&collected));
    expect![[r#"
        import { real } from "./real";
        var Colour = function(Colour) {
        	Colour[Colour["Red"] = 0] = "Red";
        	Colour["Green"] = "g";
        	return Colour;
        }(Colour || {});
        let Names;
        (function(_Names) {
        	const x = _Names.x = 1;
        })(Names || (Names = {}));
        class Point {
        	x;
        	y;
        	constructor(x, y) {
        		this.x = x;
        		this.y = y;
        	}
        }
        export default { async fetch(request, env) {
        	const value = real(env.a);
        	using handle = open();
        	throw new Error(`ä ${value} ${Colour.Red} ${Names.x} ${new Point(1)}`);
        } };
    "#]]
    .assert_eq(code(&collected, "api.ts"));
}

#[test]
fn a_place_of_the_code_leads_to_the_line_that_people_wrote() {
    let folder = Folder::with(&[("api.ts", TYPES), ("real.ts", "export const real: any = 1")]);
    let collected = folder.collect("api.ts").expect("a script");
    let code = code(&collected, "api.ts");
    let line = code.lines().position(|line| line.contains("throw")).expect("it throws") as u32 + 1;
    let column =
        |text: &str| code.lines().nth(line as usize - 1).and_then(|line| line.find(text)).expect("it is there") as u32 + 1;
    let place = collected.script().locate("api.ts", line, column("new Error")).expect("it is known");
    assert_eq!((place.line, place.column), (13, 11));
    assert!(place.text.expect("the line").contains("throw new Error(`ä"));
    assert!(collected.modules[0].original.as_ref().is_some_and(|original| original.text == TYPES));
}

#[test]
fn jsx_calls_the_library_that_is_named() {
    let folder = Folder::with(&[
        ("react.jsx", "export default () => <p class='x'>hi {1}</p>"),
        ("hono.tsx", "/** @jsxImportSource hono/jsx */\nexport default (x: number) => <><b>{x}</b></>"),
        (
            "classic/api.tsx",
            "/** @jsxRuntime classic @jsx h @jsxFrag F */ import { h, F } from 'preact'; export default () => <><i/></>",
        ),
        ("preact/api.tsx", "export default () => <p/>"),
        ("preact/tsconfig.json", r#"{ "compilerOptions": { "jsx": "react-jsx", "jsxImportSource": "preact" } }"#),
        ("node_modules/react/jsx-runtime.js", "exports.jsx = exports.jsxs = 1"),
        ("node_modules/hono/package.json", r#"{ "type": "module", "exports": { "./jsx/jsx-runtime": "./j.js" } }"#),
        ("node_modules/hono/j.js", "export const jsx = 1"),
        ("node_modules/preact/package.json", r#"{ "exports": { ".": "./p.mjs", "./jsx-runtime": "./p.mjs" } }"#),
        ("node_modules/preact/p.mjs", "export const h = 1, F = 1, jsx = 1"),
    ]);
    let shown = ["react.jsx", "hono.tsx", "classic/api.tsx", "preact/api.tsx"].map(|entry| {
        let collected = folder.collect(entry).expect("a script");
        format!("{}\n{}", outline(&collected), code(&collected, entry))
    });
    expect![[r#"
        node_modules/react/jsx-runtime.js CommonJs [jsx jsxs]
        react.jsx Module react/jsx-runtime=node_modules/react/jsx-runtime.js
        import { jsxs as _jsxs } from "react/jsx-runtime";
        export default () => _jsxs("p", {
        	class: "x",
        	children: ["hi ", 1]
        });

        hono.tsx Module hono/jsx/jsx-runtime=node_modules/hono/j.js
        node_modules/hono/j.js Module
        import { jsx as _jsx, Fragment as _Fragment } from "hono/jsx/jsx-runtime";
        export default (x) => _jsx(_Fragment, { children: _jsx("b", { children: x }) });

        classic/api.tsx Module preact=node_modules/preact/p.mjs
        node_modules/preact/p.mjs Module
        import { h, F } from "preact";
        export default () => h(F, null, h("i", null));

        node_modules/preact/p.mjs Module
        preact/api.tsx Module preact/jsx-runtime=node_modules/preact/p.mjs
        import { jsx as _jsx } from "preact/jsx-runtime";
        export default () => _jsx("p", {});
    "#]]
    .assert_eq(&shown.join("\n"));
}

#[test]
fn decorators_are_those_of_typescript_if_its_settings_ask_for_them() {
    let files =
        [("api.ts", "@sealed class A { @logged() m(@inject() x: string) {} @field y = 1; z?: number }\nexport default new A()")];
    let folder = Folder::with(&files);
    expect![[r#"
        error[E0312]: api.ts does not parse: decorators are not part of JavaScript yet
         --> api.ts:1:1
        1 | @sealed class A { @logged() m(@inject() x: string) {} @field y = 1; z?: number }
          | ^^^^^^^
          = help: "experimentalDecorators": true among the compilerOptions of tsconfig.json gives those of TypeScript
          = why:  dayfly explain E0312
    "#]]
    .assert_eq(&folder.refused("api.ts"));
    folder.write(
        "tsconfig.json",
        r#"{ "compilerOptions": { "experimentalDecorators": true, "emitDecoratorMetadata": true, "useDefineForClassFields": false } }"#,
    );
    let collected = folder.collect("api.ts").expect("a script");
    expect![[r#"
        api.ts Module dayfly:script/helpers/decorate=dayfly:script/helpers/decorate dayfly:script/helpers/decorateMetadata=dayfly:script/helpers/decorateMetadata dayfly:script/helpers/decorateParam=dayfly:script/helpers/decorateParam
        dayfly:script/helpers/decorate Module
        dayfly:script/helpers/decorateMetadata Module
        dayfly:script/helpers/decorateParam Module"#]].assert_eq(&outline(&collected));
    expect![[r#"
        import _decorateMetadata from "dayfly:script/helpers/decorateMetadata";
        import _decorateParam from "dayfly:script/helpers/decorateParam";
        import _decorate from "dayfly:script/helpers/decorate";
        let A = class A {
        	m(x) {}
        	y = 1;
        };
        _decorate([
        	logged(),
        	_decorateParam(0, inject()),
        	_decorateMetadata("design:type", Function),
        	_decorateMetadata("design:paramtypes", [String]),
        	_decorateMetadata("design:returntype", void 0)
        ], A.prototype, "m", null);
        _decorate([field, _decorateMetadata("design:type", Object)], A.prototype, "y", void 0);
        A = _decorate([sealed], A);
        export default new A();
    "#]]
    .assert_eq(code(&collected, "api.ts"));
}
