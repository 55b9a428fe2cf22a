use std::collections::{BTreeMap, HashMap};
use std::mem::ManuallyDrop;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Json;

/// What only one protocol knows: per protocol id, an ordered set of named JSON values.
///
/// Each namespace is written and read by the folder of that protocol alone. Values are kept verbatim, so a signature
/// or an encrypted block goes back to its vendor byte for byte. An empty `Extra` is one machine word.
///
/// ```
/// use interlingua_model::{Extra, Json};
///
/// let mut extra = Extra::default();
/// extra.set("anthropic", "signature", Json::string("c2ln"));
/// assert_eq!(extra.read::<String>("anthropic", "signature").as_deref(), Some("c2ln"));
/// assert!(extra.get("openai_chat", "signature").is_none());
/// ```
#[derive(Debug, Default, PartialEq)]
#[expect(clippy::box_collection, reason = "one word when empty, which it nearly always is")]
pub struct Extra(ManuallyDrop<Option<Box<Vec<Namespace>>>>);

/// The values of one protocol. Of a value or an answer there is mostly one, for which a list takes a tenth of the room of
/// a map; the list is sorted.
type Namespace = (Box<str>, Fields);

/// The named values of one protocol, in the order in which they were first set.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    list: Vec<(Box<str>, Json)>,
    #[expect(clippy::box_collection, reason = "one word, since there is nearly never one")]
    /// Where each name stands, once there are many: an answer with a million names would else cost their square.
    places: Option<Box<HashMap<Box<str>, usize>>>,
}

/// As many names as are looked through one by one.
const FEW: usize = 32;

impl Extra {
    /// An `Extra` with one value.
    pub fn of(protocol: &str, name: &str, value: Json) -> Self {
        let mut extra = Self::default();
        extra.set(protocol, name, value);
        extra
    }

    /// Whether no protocol has left anything here.
    pub fn is_empty(&self) -> bool {
        self.namespaces().iter().all(|(_, fields)| fields.is_empty())
    }

    /// The value `name` of `protocol`.
    pub fn get(&self, protocol: &str, name: &str) -> Option<&Json> {
        self.fields(protocol)?.get(name)
    }

    /// The value `name` of `protocol` as a `T`, or `None` when it is absent or of another shape.
    pub fn read<T: DeserializeOwned>(&self, protocol: &str, name: &str) -> Option<T> {
        serde_json::from_str(self.get(protocol, name)?.as_str()).ok()
    }

    /// Sets the value `name` of `protocol`; an earlier value of that name is replaced in place.
    pub fn set(&mut self, protocol: &str, name: &str, value: Json) {
        let found = self.find(protocol);
        let list = self.0.get_or_insert_with(|| Box::new(Vec::with_capacity(1)));
        let at = found.unwrap_or_else(|at| {
            list.insert(at, (protocol.into(), Fields::default()));
            at
        });
        if let Some((_, fields)) = list.get_mut(at) {
            fields.set(name, value);
        }
    }

    /// Removes and returns the value `name` of `protocol`.
    pub fn take(&mut self, protocol: &str, name: &str) -> Option<Json> {
        let at = self.find(protocol).ok()?;
        let (_, fields) = self.0.as_mut()?.get_mut(at)?;
        let value = fields.take(name);
        self.keep(|(_, fields)| !fields.is_empty());
        value
    }

    /// All values of `protocol`.
    pub fn fields(&self, protocol: &str) -> Option<&Fields> {
        self.namespaces().get(self.find(protocol).ok()?).map(|(_, fields)| fields)
    }

    /// The ids of the protocols that left something, sorted.
    pub fn protocols(&self) -> impl Iterator<Item = &str> {
        self.namespaces().iter().map(|(protocol, _)| &**protocol)
    }

    /// Takes over every value of `other`, which wins where both have one.
    pub fn merge(&mut self, other: &Self) {
        for (protocol, fields) in other.namespaces() {
            for (name, value) in fields.iter() {
                self.set(protocol, name, value.clone());
            }
        }
    }

    /// Keeps the values of `protocol` and forgets all others.
    pub fn retain(&mut self, protocol: &str) {
        self.keep(|(known, fields)| **known == *protocol && !fields.is_empty());
    }

    fn keep(&mut self, wanted: impl Fn(&Namespace) -> bool) {
        if let Some(list) = &mut *self.0 {
            list.retain(wanted);
            if list.is_empty() {
                self.clear();
            }
        }
    }

    fn namespaces(&self) -> &[Namespace] {
        self.0.as_ref().map_or(&[], |list| list)
    }

    #[cold]
    fn clear(&mut self) {
        drop(std::mem::take(&mut *self.0));
    }

    /// Where a protocol stands, or where it would stand.
    fn find(&self, protocol: &str) -> Result<usize, usize> {
        self.namespaces().binary_search_by(|(known, _)| (**known).cmp(protocol))
    }
}

impl Clone for Extra {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Nearly every type of a conversation holds an `Extra`, and what is dropped in place is made anew wherever one of them is
/// dropped: here it is a call of one function.
impl Drop for Extra {
    fn drop(&mut self) {
        if self.0.is_some() {
            self.clear();
        }
    }
}

impl Fields {
    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The value called `name`.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.list.get(self.place(name)?).map(|(_, value)| value)
    }

    /// Sets the value called `name`, in place if there is one already.
    pub fn set(&mut self, name: &str, value: Json) {
        if let Some((_, old)) = self.place(name).and_then(|place| self.list.get_mut(place)) {
            *old = value;
            return;
        }
        let at = self.list.len();
        self.list.push((name.into(), value));
        match &mut self.places {
            Some(places) => {
                places.insert(name.into(), at);
            }
            None if at == FEW => self.index(),
            None => {}
        }
    }

    fn place(&self, name: &str) -> Option<usize> {
        match &self.places {
            Some(places) => places.get(name).copied(),
            None => self.list.iter().position(|(key, _)| &**key == name),
        }
    }

    /// Writes down where the names stand, if there are many.
    fn index(&mut self) {
        self.places = None;
        if self.list.len() > FEW {
            let mut places = HashMap::with_capacity(self.list.len());
            for (place, (name, _)) in self.list.iter().enumerate() {
                places.insert(name.clone(), place);
            }
            self.places = Some(Box::new(places));
        }
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.list.iter().map(|(name, value)| (&**name, value))
    }

    fn take(&mut self, name: &str) -> Option<Json> {
        let (_, value) = self.list.remove(self.place(name)?);
        self.index();
        Some(value)
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list
    }
}

impl Serialize for Extra {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &*self.0 {
            None => serializer.serialize_none(),
            Some(list) => serializer.collect_map(list.iter().map(|(protocol, fields)| (protocol, fields))),
        }
    }
}

impl<'de> Deserialize<'de> for Extra {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = Option::<BTreeMap<Box<str>, Fields>>::deserialize(deserializer)?.unwrap_or_default();
        // A protocol that left nothing is one that was never here.
        let list: Vec<Namespace> = map.into_iter().filter(|(_, fields)| !fields.is_empty()).collect();
        Ok(Self(ManuallyDrop::new((!list.is_empty()).then(|| Box::new(list)))))
    }
}

impl Serialize for Fields {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Fields;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of named values")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Fields::default();
                while let Some((name, value)) = map.next_entry::<Box<str>, Json>()? {
                    fields.set(&name, value);
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}
