//! The public names of every library crate are written down in `docs/api/`, so that no change of them goes unseen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use quote::ToTokens;
use syn::{Attribute, Fields, ImplItem, Item, ItemImpl, ItemUse, Signature, UseTree, Visibility};

use crate::metadata::root;

/// One module of a crate as it is written.
struct Module {
    items: Vec<Item>,
    inner: BTreeMap<String, Self>,
}

#[test]
fn the_public_api_is_written_down() {
    let root = root();
    let mut stale = Vec::new();
    let mut compared = 0;
    for entry in fs::read_dir(root.join("crates")).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.join("src/lib.rs").exists() {
            continue;
        }
        compared += 1;
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let found = listing(&folder);
        let path = root.join("docs/api").join(format!("{name}.txt"));
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::create_dir_all(root.join("docs/api")).unwrap();
            fs::write(&path, &found).unwrap();
            continue;
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        if let Some(difference) = difference(&written, &found) {
            stale.push(format!("{}: {difference}", path.display()));
        }
    }
    assert!(compared > 0, "no library crates found");
    let help = "when the change is meant: UPDATE_EXPECTED=1 cargo test -p xtask --test it api";
    assert!(stale.is_empty(), "the public API changed; {help}\n{}", stale.join("\n"));
}

fn difference(written: &str, found: &str) -> Option<String> {
    let (old, new): (BTreeSet<_>, BTreeSet<_>) = (written.lines().collect(), found.lines().collect());
    let gone = old.difference(&new).map(|line| format!("\n- {line}"));
    let come = new.difference(&old).map(|line| format!("\n+ {line}"));
    (written != found).then(|| gone.chain(come).collect())
}

/// All that a user of the crate can name, one line each.
fn listing(folder: &Path) -> String {
    let root = read(&folder.join("src/lib.rs"), &folder.join("src"));
    let mut impls = Vec::new();
    collect_impls(&root, "", &mut impls);
    let name = folder.file_name().unwrap().to_string_lossy().replace('-', "_");
    let mut list = Listing { root: &root, impls, lines: BTreeSet::new() };
    list.module(&name, &root, &[]);
    list.lines.into_iter().collect::<Vec<_>>().join("\n") + "\n"
}

/// Reads a file and the files of its modules.
fn read(file: &Path, folder: &Path) -> Module {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    module(parsed.items, folder)
}

fn module(items: Vec<Item>, folder: &Path) -> Module {
    let items = items.into_iter().filter(|item| !is_test(attributes(item)));
    let items: Vec<Item> = items.flat_map(defined).collect();
    let mut inner = BTreeMap::new();
    for item in &items {
        let Item::Mod(child) = item else { continue };
        let name = child.ident.to_string();
        let below = folder.join(&name);
        let read = if let Some((_, items)) = &child.content {
            module(items.clone(), &below)
        } else {
            let beside = folder.join(format!("{name}.rs"));
            read(&if beside.exists() { beside } else { below.join("mod.rs") }, &below)
        };
        inner.insert(name, read);
    }
    Module { items, inner }
}

/// What an item defines: itself, or what one of the macros makes of it that define types.
fn defined(item: Item) -> Vec<Item> {
    let Item::Macro(call) = &item else { return vec![item] };
    let name = call.mac.path.to_token_stream().to_string();
    let tokens = call.mac.tokens.clone();
    let made: &[&str] = match name.as_str() {
        "deserialize" => {
            let of = syn::parse2::<syn::Ident>(tokens).unwrap();
            return vec![syn::parse_quote!(impl<'de> Deserialize<'de> for #of {})];
        }
        "fields" => &["Deserialize"],
        "words" => &["Deserialize", "Serialize"],
        _ => return vec![item],
    };
    // `from …; needs …;` may stand before the type.
    let mut parts = vec![proc_macro2::TokenStream::new()];
    for token in tokens {
        match &token {
            proc_macro2::TokenTree::Punct(punct) if punct.as_char() == ';' => {
                parts.push(proc_macro2::TokenStream::new());
            }
            _ => parts.last_mut().unwrap().extend([token]),
        }
    }
    let of = parts.pop().and_then(|tokens| syn::parse2::<Item>(tokens).ok());
    // There may be other macros of these names.
    let Some((of, ident)) = of.and_then(|of| match &of {
        Item::Struct(syn::ItemStruct { ident, .. }) | Item::Enum(syn::ItemEnum { ident, .. }) => {
            let ident = ident.clone();
            Some((of, ident))
        }
        _ => None,
    }) else {
        return vec![item];
    };
    let made = made.iter().map(|made| {
        let made = syn::Ident::new(made, ident.span());
        syn::parse_quote!(impl #made for #ident {})
    });
    let made: Vec<Item> = made.collect();
    std::iter::once(of).chain(made).collect()
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Mod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.meta.to_token_stream().to_string().contains("(test)")
    })
}

/// An impl block, the name of its type, and the top module in which it stands.
struct Block<'a> {
    top: String,
    name: String,
    code: &'a ItemImpl,
}

fn collect_impls<'a>(module: &'a Module, top: &str, impls: &mut Vec<Block<'a>>) {
    for item in &module.items {
        let Item::Impl(block) = item else { continue };
        if let syn::Type::Path(path) = &*block.self_ty
            && let Some(last) = path.path.segments.last()
        {
            impls.push(Block { top: top.to_owned(), name: last.ident.to_string(), code: block });
        }
    }
    for (name, inner) in &module.inner {
        collect_impls(inner, if top.is_empty() { name } else { top }, impls);
    }
}

struct Listing<'a> {
    root: &'a Module,
    impls: Vec<Block<'a>>,
    lines: BTreeSet<String>,
}

impl<'a> Listing<'a> {
    /// Lists what a module that can be named shows. `at` is its place in the crate.
    fn module(&mut self, path: &str, module: &'a Module, at: &[String]) {
        for item in &module.items {
            match item {
                Item::Mod(child) if is_public(&child.vis) => {
                    let name = child.ident.to_string();
                    self.lines.insert(format!("{path}::{name} mod"));
                    self.module(
                        &format!("{path}::{name}"),
                        &module.inner[&name],
                        &[at, std::slice::from_ref(&name)].concat(),
                    );
                }
                Item::Use(item) if is_public(&item.vis) => self.used(path, module, at, item),
                item => {
                    if let Some(name) = public_name(item) {
                        self.item(path, &name, at, item);
                    }
                }
            }
        }
    }

    /// Lists what a `pub use` shows: items of this crate as if they stood here, names of others as they are.
    fn used(&mut self, path: &str, module: &'a Module, at: &[String], item: &ItemUse) {
        let mut leaves = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut leaves);
        for (segments, shown) in leaves {
            match (self.resolve(module, at, &segments), segments.last().map(String::as_str)) {
                (Some((found, from)), Some("*")) => self.module(path, found, &from),
                (Some((found, from)), Some(name)) => self.shown(path, found, &from, name, &shown),
                _ => {
                    self.lines.insert(format!("{path}::{shown} = {}", segments.join("::")));
                }
            }
        }
    }

    /// Lists one name of a module, which may itself only pass it on.
    fn shown(&mut self, path: &str, module: &'a Module, at: &[String], name: &str, shown: &str) {
        if let Some(inner) = module.inner.get(name) {
            self.lines.insert(format!("{path}::{shown} mod"));
            self.module(&format!("{path}::{shown}"), inner, &[at, &[name.to_owned()]].concat());
            return;
        }
        let own = module.items.iter().filter(|item| public_name(item).is_some_and(|own| own == name));
        let own: Vec<_> = own.collect();
        for item in &own {
            self.item(path, shown, at, item);
        }
        if !own.is_empty() {
            return;
        }
        for item in &module.items {
            let Item::Use(item) = item else { continue };
            let mut leaves = Vec::new();
            flatten(&item.tree, &mut Vec::new(), &mut leaves);
            for (segments, passed) in leaves {
                let last = segments.last().cloned().unwrap_or_default();
                if passed != name {
                    continue;
                }
                match self.resolve(module, at, &segments) {
                    Some((found, from)) => self.shown(path, found, &from, &last, shown),
                    None => {
                        self.lines.insert(format!("{path}::{shown} = {}", segments.join("::")));
                    }
                }
            }
        }
    }

    /// The module of this crate in which the last segment of a path stands.
    fn resolve(
        &self,
        module: &'a Module,
        at: &[String],
        segments: &[String],
    ) -> Option<(&'a Module, Vec<String>)> {
        let (mut here, mut place) = (module, at.to_vec());
        let (_, folders) = segments.split_last()?;
        for (position, segment) in folders.iter().enumerate() {
            match segment.as_str() {
                "self" => {}
                "crate" => (here, place) = (self.root, Vec::new()),
                "super" => {
                    place.pop()?;
                    here = place.iter().try_fold(self.root, |module, name| module.inner.get(name))?;
                }
                name => {
                    let next = here
                        .inner
                        .get(name)
                        .or_else(|| (position == 0).then(|| self.root.inner.get(name)).flatten());
                    here = next?;
                    place.push(name.to_owned());
                }
            }
        }
        (!folders.is_empty()).then_some((here, place))
    }

    fn item(&mut self, path: &str, name: &str, at: &[String], item: &Item) {
        let whole = format!("{path}::{name}");
        let line = match item {
            Item::Fn(item) => format!("{whole} {}", signature(&item.sig)),
            Item::Const(item) => format!("{whole} const: {}", tidy(&item.ty)),
            Item::Static(item) => format!("{whole} static: {}", tidy(&item.ty)),
            Item::Type(item) => format!("{whole} type = {}", tidy(&item.ty)),
            Item::Macro(_) => format!("{whole}! macro"),
            Item::Struct(item) => {
                self.fields(&whole, &item.fields, false);
                self.members(&whole, at, &item.ident.to_string(), &item.attrs);
                format!("{whole}{} struct{}", tidy(&item.generics), exhaustive(&item.attrs))
            }
            Item::Enum(item) => {
                for variant in &item.variants {
                    let place = format!("{whole}::{}", variant.ident);
                    self.lines.insert(format!("{place} variant{}", exhaustive(&variant.attrs)));
                    self.fields(&place, &variant.fields, true);
                }
                self.members(&whole, at, &item.ident.to_string(), &item.attrs);
                format!("{whole}{} enum{}", tidy(&item.generics), exhaustive(&item.attrs))
            }
            Item::Trait(item) => {
                for member in &item.items {
                    if let syn::TraitItem::Fn(member) = member {
                        let given = if member.default.is_some() { " (given)" } else { "" };
                        let signature = signature(&member.sig);
                        self.lines.insert(format!("{whole}::{} {signature}{given}", member.sig.ident));
                    }
                }
                format!("{whole}{} trait: {}", tidy(&item.generics), tidy(&item.supertraits))
            }
            _ => return,
        };
        self.lines.insert(line);
    }

    fn fields(&mut self, whole: &str, fields: &Fields, all: bool) {
        for (position, field) in fields.iter().enumerate() {
            if all || is_public(&field.vis) {
                let name = field.ident.as_ref().map_or_else(|| position.to_string(), ToString::to_string);
                self.lines.insert(format!("{whole}.{name}: {}", tidy(&field.ty)));
            }
        }
    }

    /// The derived traits, the methods and the implemented traits of a type.
    fn members(&mut self, whole: &str, at: &[String], name: &str, attributes: &[Attribute]) {
        for derived in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
            let list = derived.meta.require_list().unwrap().tokens.to_string();
            for name in list.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                self.lines.insert(format!("{whole} is {name}"));
            }
        }
        // Types of one name in several modules have their blocks in their own module.
        let top = at.first().map_or("", String::as_str);
        let defined = definitions(self.root, name);
        let own = |block: &&Block<'a>| block.name == name && (defined == 1 || block.top == top);
        let blocks: Vec<_> = self.impls.iter().filter(own).map(|block| block.code).collect();
        for block in blocks {
            if let Some((_, implemented, _)) = &block.trait_ {
                if mentions_private(self.root, implemented) {
                    continue;
                }
                self.lines.insert(format!("{whole} is {}", tidy(implemented)));
                continue;
            }
            for member in &block.items {
                match member {
                    ImplItem::Fn(member) if is_public(&member.vis) => {
                        self.lines.insert(format!(
                            "{whole}::{} {}",
                            member.sig.ident,
                            signature(&member.sig)
                        ));
                    }
                    ImplItem::Const(member) if is_public(&member.vis) => {
                        self.lines.insert(format!("{whole}::{} const: {}", member.ident, tidy(&member.ty)));
                    }
                    _ => {}
                }
            }
        }
    }
}

/// Whether a trait is about a type that no user of the crate can name.
fn mentions_private(root: &Module, implemented: &syn::Path) -> bool {
    let text = implemented.to_token_stream().to_string();
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.any(|word| definitions(root, word) > 0 && !is_defined_publicly(root, word))
}

fn is_defined_publicly(module: &Module, name: &str) -> bool {
    let own = module.items.iter().any(|item| public_name(item).is_some_and(|own| own == name));
    own || module.inner.values().any(|inner| is_defined_publicly(inner, name))
}

fn definitions(module: &Module, name: &str) -> usize {
    let own = module.items.iter().filter(|item| match item {
        Item::Struct(item) => item.ident == name,
        Item::Enum(item) => item.ident == name,
        _ => false,
    });
    own.count() + module.inner.values().map(|inner| definitions(inner, name)).sum::<usize>()
}

const fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn public_name(item: &Item) -> Option<String> {
    let (visibility, name) = match item {
        Item::Fn(item) => (&item.vis, &item.sig.ident),
        Item::Const(item) => (&item.vis, &item.ident),
        Item::Static(item) => (&item.vis, &item.ident),
        Item::Type(item) => (&item.vis, &item.ident),
        Item::Struct(item) => (&item.vis, &item.ident),
        Item::Enum(item) => (&item.vis, &item.ident),
        Item::Trait(item) => (&item.vis, &item.ident),
        Item::Macro(item) => {
            let exported = item.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export"));
            return exported.then(|| item.ident.as_ref().map(ToString::to_string)).flatten();
        }
        _ => return None,
    };
    is_public(visibility).then(|| name.to_string())
}

fn exhaustive(attributes: &[Attribute]) -> &'static str {
    let open = attributes.iter().any(|attribute| attribute.path().is_ident("non_exhaustive"));
    if open { " (non-exhaustive)" } else { "" }
}

/// The leaves of a `use` tree: the whole path, and the name under which its end is shown.
fn flatten(tree: &UseTree, above: &mut Vec<String>, leaves: &mut Vec<(Vec<String>, String)>) {
    let leaf = |name: String, above: &[String]| [above, &[name]].concat();
    match tree {
        UseTree::Path(path) => {
            above.push(path.ident.to_string());
            flatten(&path.tree, above, leaves);
            above.pop();
        }
        UseTree::Name(name) if name.ident == "self" => {
            leaves.push((above.clone(), above.last().cloned().unwrap_or_default()));
        }
        UseTree::Name(name) => leaves.push((leaf(name.ident.to_string(), above), name.ident.to_string())),
        UseTree::Rename(name) => leaves.push((leaf(name.ident.to_string(), above), name.rename.to_string())),
        UseTree::Glob(_) => leaves.push((leaf("*".to_owned(), above), "*".to_owned())),
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, above, leaves)),
    }
}

/// A signature in one line, without names of no meaning to a caller.
fn signature(signature: &Signature) -> String {
    tidy(signature)
}

/// Tokens in one line with the spaces that a reader expects.
fn tidy(tokens: &impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string().replace('\n', " ");
    let pairs = [
        (" :: ", "::"),
        (":: ", "::"),
        (" ::", "::"),
        ("< ", "<"),
        (" <", "<"),
        (" >", ">"),
        ("& ", "&"),
        (" ,", ","),
        ("( ", "("),
        (" )", ")"),
        (" (", "("),
        ("[ ", "["),
        (" ]", "]"),
        (" :", ":"),
        (" ;", ";"),
        ("! ", "!"),
        ("<:", "< :"),
        ("' ", "'"),
    ];
    for (from, to) in pairs {
        while text.contains(from) {
            text = text.replace(from, to);
        }
    }
    text.replace("->(", "-> (")
        .replace(",)", ")")
        .replace(",>", ">")
        .replace("- >", "->")
        .replace("->", " -> ")
        .replace("  ", " ")
        .replace("'a(", "'a (")
}
