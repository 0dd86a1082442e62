//! Lists and records that natives give. Their items are *defined*: setting them would run the setters that a script may have put on
//! `Array.prototype` or `Object.prototype`.

use rquickjs::object::Property;
use rquickjs::{Array, Ctx, IntoJs, Object, Result, Value};

/// A list that grows.
pub(crate) struct List<'js> {
    list: Array<'js>,
    length: u32,
}

impl<'js> List<'js> {
    pub(crate) fn new(ctx: &Ctx<'js>) -> Result<Self> {
        Ok(Self { list: Array::new(ctx.clone())?, length: 0 })
    }

    pub(crate) fn push(&mut self, item: impl IntoJs<'js>) -> Result<()> {
        define(self.list.as_object(), self.length, item)?;
        self.length += 1;
        Ok(())
    }

    /// With one more item.
    pub(crate) fn with(mut self, item: impl IntoJs<'js>) -> Result<Self> {
        self.push(item)?;
        Ok(self)
    }
}

impl<'js> IntoJs<'js> for List<'js> {
    fn into_js(self, _: &Ctx<'js>) -> Result<Value<'js>> {
        Ok(self.list.into_value())
    }
}

/// Gives an object a property of its own.
pub(crate) fn define<'js>(object: &Object<'js>, key: impl rquickjs::IntoAtom<'js>, value: impl IntoJs<'js>) -> Result<()> {
    let value = value.into_js(object.ctx())?;
    object.prop(key, Property::from(value).writable().enumerable().configurable())
}
