//! An order, as every function of the shop knows it.

use dayfly::{Error, kv::Store};
use serde_json::{Value, json};

/// What somebody ordered.
pub struct Order {
    pub id: String,
    pub product: String,
    pub quantity: u64,
    pub cents: u64,
    pub status: String,
}

impl Order {
    /// The key of an order in the store.
    pub fn key(id: &str) -> String {
        format!("order-{id}")
    }

    /// The order of this id, if there is one.
    pub fn load(store: &Store, id: &str) -> Result<Option<Self>, Error> {
        Ok(store.get(&Self::key(id))?.and_then(|bytes| Self::parse(&bytes)))
    }

    pub fn save(&self, store: &Store) -> Result<(), Error> {
        store.set(&Self::key(&self.id), self.to_json().to_string())
    }

    pub fn parse(bytes: &[u8]) -> Option<Self> {
        Self::of(&serde_json::from_slice(bytes).ok()?)
    }

    pub fn of(value: &Value) -> Option<Self> {
        let text = |name: &str| Some(value.get(name)?.as_str()?.to_owned());
        let number = |name: &str| value.get(name)?.as_u64();
        Some(Self {
            id: text("id")?,
            product: text("product")?,
            quantity: number("quantity")?,
            cents: number("cents")?,
            status: text("status")?,
        })
    }

    pub fn to_json(&self) -> Value {
        let Self { id, product, quantity, cents, status } = self;
        json!({ "id": id, "product": product, "quantity": quantity, "cents": cents, "status": status })
    }
}
