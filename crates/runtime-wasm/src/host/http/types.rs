//! The small rest of `wasi:http/types`: the options of a request, and the code behind an I/O error.

use wasmtime::component::Resource;

use super::outgoing::RequestOptions;
use crate::host::{
    Host,
    bindings::wasi::http::types::{self as wit, ErrorCode},
    io::error::IoError,
};

impl wit::Host for Host {
    fn http_error_code(&mut self, error: Resource<IoError>) -> wasmtime::Result<Option<ErrorCode>> {
        Ok(self.table.get(&error)?.code.clone())
    }
}

impl wit::HostRequestOptions for Host {
    fn new(&mut self) -> wasmtime::Result<Resource<RequestOptions>> {
        Ok(self.table.push(RequestOptions::default())?)
    }
    fn connect_timeout(&mut self, options: Resource<RequestOptions>) -> wasmtime::Result<Option<u64>> {
        Ok(self.table.get(&options)?.connect_ns)
    }
    fn set_connect_timeout(&mut self, options: Resource<RequestOptions>, ns: Option<u64>) -> wasmtime::Result<Result<(), ()>> {
        self.table.get_mut(&options)?.connect_ns = ns;
        Ok(Ok(()))
    }
    fn first_byte_timeout(&mut self, options: Resource<RequestOptions>) -> wasmtime::Result<Option<u64>> {
        Ok(self.table.get(&options)?.first_byte_ns)
    }
    fn set_first_byte_timeout(&mut self, options: Resource<RequestOptions>, ns: Option<u64>) -> wasmtime::Result<Result<(), ()>> {
        self.table.get_mut(&options)?.first_byte_ns = ns;
        Ok(Ok(()))
    }
    fn between_bytes_timeout(&mut self, options: Resource<RequestOptions>) -> wasmtime::Result<Option<u64>> {
        Ok(self.table.get(&options)?.between_bytes_ns)
    }
    fn set_between_bytes_timeout(
        &mut self,
        options: Resource<RequestOptions>,
        ns: Option<u64>,
    ) -> wasmtime::Result<Result<(), ()>> {
        self.table.get_mut(&options)?.between_bytes_ns = ns;
        Ok(Ok(()))
    }
    fn drop(&mut self, options: Resource<RequestOptions>) -> wasmtime::Result<()> {
        self.table.delete(options)?;
        Ok(())
    }
}
