//! Values of Rust that JavaScript holds and only natives look into. They are collected with the object that holds them.

/// Makes a type the inside of JavaScript objects. It must hold nothing of JavaScript's own.
macro_rules! opaque {
    ($type:ty, $name:literal, $mutable:ty) => {
        // It holds nothing of JavaScript's, so there is nothing to trace.
        impl<'js> rquickjs::class::Trace<'js> for $type {
            fn trace<'a>(&self, _: rquickjs::class::Tracer<'a, 'js>) {}
        }

        // SAFETY: it holds nothing with the lifetime of a context.
        unsafe impl rquickjs::JsLifetime<'_> for $type {
            type Changed<'to> = Self;
        }

        impl<'js> rquickjs::class::JsClass<'js> for $type {
            const NAME: &'static str = $name;
            type Mutable = $mutable;

            fn constructor(_: &rquickjs::Ctx<'js>) -> rquickjs::Result<Option<rquickjs::function::Constructor<'js>>> {
                Ok(None)
            }
        }
    };
}

pub(crate) use opaque;
