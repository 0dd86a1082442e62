;; Well-formed sections around code that does not type-check: text can say it, and no validator may accept it.
(component
  (core module
    (func (export "run") (result i32) i64.const 1)))
