;; WebAssembly, but a core module: what a compiler makes for wasm32-wasip1.
(module
  (memory (export "memory") 1)
  (func (export "_start")))
