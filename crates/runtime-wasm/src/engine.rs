//! The engine: one set of settings for compiling and running, and the one place that chooses them.
//!
//! `docs/reference/wasm-engine.md` says what each knob costs, as measured by the example `knobs`. Deliberate choices beside speed:
//! - What changes a guest's results is fixed: relaxed SIMD is deterministic; threads, shared memory, 64-bit memories, exceptions, GC
//!   and component-model async are off (most of them not even compiled in). NaN bits are *not* canonicalized, since that slows every float
//!   operation: a guest that looks at the payload of a NaN may see another one on another kind of CPU.
//! - Each memory keeps its full 4 GiB reservation with guards, so that no access needs a check and none can reach a neighbour.
//! - Epochs, and not fuel, end a guest's slice: fuel costs more where guests loop tightly and ends nothing that epochs don't.

use std::hash::{Hash, Hasher};

use types::limits;
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Strategy, WasmBacktraceDetails,
};

use crate::limits::{CORE_INSTANCES, MEMORIES, TABLE_ELEMENTS, TABLES};

/// The version of the engine that this crate is built with; a test compares it with the workspace's manifest.
pub(crate) const VERSION: &str = "48.0.8";
/// Bytes of each used table that are reset in place.
const TABLE_KEEP_RESIDENT: usize = 64 << 10;
/// The stack that a guest's own code may use.
pub(crate) const WASM_STACK: usize = 1 << 20;
/// The stack that a guest and its host calls run on: the rest is for the host.
const FIBER_STACK: usize = 3 << 19;
/// Frames that a backtrace keeps. Rust's panic machinery alone takes eight.
const BACKTRACE_FRAMES: usize = 40;

/// What of the engine can be set. [`EngineSettings::default`] is what the platform uses; the rest is for measuring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineSettings {
    /// Instances alive at once. More are refused with `E0512`.
    pub instances: u32,
    /// The most memory that one linear memory can have, in bytes: the ceiling of what a function's limits may say.
    pub memory_bytes_max: usize,
    /// Whether instances come from a pool that is set up at the start.
    pub pooling: bool,
    /// Whether the kernel is asked which pages were written, so that only those are reset. Used where the kernel can.
    pub pagemap_scan: bool,
    /// Bytes of each used memory that are reset in place and not given back to the kernel. A small script writes to some 30 pages here and
    /// there: what does not fit costs it more than all else of a request.
    pub keep_resident_bytes: usize,
    /// Unused slots of the pool that keep the image of the component they last held.
    pub warm_slots: u32,
    /// Whether a stack is zeroed before another guest gets it.
    pub stack_zeroing: bool,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            instances: limits::INSTANCES,
            memory_bytes_max: limits::MEMORY_MAX.as_usize(),
            pooling: true,
            pagemap_scan: true,
            keep_resident_bytes: 256 << 10,
            warm_slots: 100,
            stack_zeroing: false,
        }
    }
}

/// The engine that runs guests.
pub(crate) fn engine(settings: &EngineSettings) -> wasmtime::Result<Engine> {
    let mut config = config();
    config.async_stack_zeroing(settings.stack_zeroing);
    if settings.pooling {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(settings)));
    }
    Engine::new(&config)
}

/// The engine that loads scripts and compiles their memories, for [`engine`] to run. It has no pool: loading writes to many pages, and a slot that
/// was used for it would serve every later request more slowly.
pub(crate) fn loading() -> wasmtime::Result<Engine> {
    let mut config = config();
    // A script's memory must be mapped also if it has holes, or every request copies it. The engine for components keeps the default, since
    // a component of some bytes could ask for code of this size.
    config.memory_guaranteed_dense_image_size(limits::SCRIPT_MEMORY.0);
    Engine::new(&config)
}

/// The engine that only compiles, in the child process. It maps nothing ahead, and what it makes runs in [`engine`].
pub(crate) fn compiler() -> wasmtime::Result<Engine> {
    Engine::new(&config())
}

/// A name for everything that compiled code depends on: engine version, settings and the CPU's features. Code of another name is never
/// loaded.
pub(crate) fn compatibility(engine: &Engine) -> blake3::Hash {
    let mut hasher = StableHasher(blake3::Hasher::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.0.finalize()
}

fn config() -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        // A compile has limits on CPU time and memory; they mean the same on every machine only with one thread.
        .parallel_compilation(false)
        .concurrency_support(false)
        .epoch_interruption(true)
        .memory_init_cow(true)
        .memory_reservation(4 << 30)
        .memory_guard_size(32 << 20)
        .guard_before_linear_memory(true)
        .memory_may_move(false)
        .async_stack_size(FIBER_STACK)
        .max_wasm_stack(WASM_STACK)
        .relaxed_simd_deterministic(true)
        .wasm_memory64(false)
        .wasm_wide_arithmetic(false)
        .wasm_custom_page_sizes(false)
        .wasm_component_model_memory64(false)
        // Source lines come from a table of our own, see `lines`.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(BACKTRACE_FRAMES));
    config
}

fn pool(settings: &EngineSettings) -> PoolingAllocationConfig {
    let instances = settings.instances;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_stacks(instances)
        // These count over all components. Most hold one memory and three core instances; one that needs more takes others' share.
        .total_memories(instances.saturating_mul(2))
        .total_tables(instances.saturating_mul(4))
        .total_core_instances(instances.saturating_mul(16))
        .max_memory_size(settings.memory_bytes_max)
        .max_memories_per_component(count(MEMORIES))
        .max_memories_per_module(count(MEMORIES))
        .max_tables_per_component(count(TABLES))
        .max_tables_per_module(count(TABLES))
        .max_core_instances_per_component(count(CORE_INSTANCES))
        .table_elements(TABLE_ELEMENTS)
        .max_core_instance_size(8 << 20)
        .max_component_instance_size(8 << 20)
        .linear_memory_keep_resident(settings.keep_resident_bytes)
        .table_keep_resident(settings.keep_resident_bytes.min(TABLE_KEEP_RESIDENT))
        .async_stack_keep_resident(if settings.stack_zeroing { settings.keep_resident_bytes } else { 0 })
        .max_unused_warm_slots(settings.warm_slots)
        .pagemap_scan(if settings.pagemap_scan { Enabled::Auto } else { Enabled::No });
    pool
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Hashes alike in every build, which std's default hasher doesn't promise.
struct StableHasher(blake3::Hasher);

impl Hasher for StableHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
    fn finish(&self) -> u64 {
        let bytes = *self.0.finalize().as_bytes();
        u64::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiling_engine_makes_code_for_the_running_one() {
        let running = engine(&EngineSettings { instances: 2, ..EngineSettings::default() }).expect("running engine");
        let compiling = compiler().expect("compiling engine");
        assert_eq!(compatibility(&running), compatibility(&compiling));
        assert_eq!(compatibility(&running), compatibility(&loading().expect("loading engine")));
        assert_eq!(compatibility(&running), compatibility(&running));
    }

    #[test]
    fn the_version_is_the_one_that_is_built_in() {
        let manifest = include_str!("../../../Cargo.toml");
        assert!(manifest.contains(&format!("wasmtime = {{ version = \"={VERSION}\"")));
    }
}
