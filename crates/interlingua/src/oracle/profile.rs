//! The file `~/.oci/config`.
//!
//! Source: [Oracle, SDK and CLI configuration file](https://docs.oracle.com/en-us/iaas/Content/API/Concepts/sdkconfig.htm).

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::machine::{contents, home, set};
use crate::{Lookup, Secret};

/// The variables that name the file and the profile in it, the first one first.
const FILES: [&str; 2] = ["OCI_CONFIG_FILE", "OCI_CLI_CONFIG_FILE"];
const PROFILES: [&str; 2] = ["OCI_CONFIG_PROFILE", "OCI_CLI_PROFILE"];
/// The profile of those who name none, whose fields the other ones have as well.
const DEFAULT: &str = "DEFAULT";

/// The fields of a profile.
pub(super) struct Profile {
    name: String,
    fields: BTreeMap<String, String>,
    home: Option<PathBuf>,
}

impl Profile {
    /// The profile that the environment names.
    pub(super) fn read(lookup: &Lookup) -> Result<Self, String> {
        let path = path(lookup).ok_or("needs HOME to be set, or OCI_CONFIG_FILE")?;
        let text = contents(&path)?;
        let name =
            PROFILES.into_iter().find_map(|name| set(lookup, name)).unwrap_or_else(|| DEFAULT.to_owned());
        let fields = fields(&text, &name)
            .ok_or_else(|| format!("there is no profile `{name}` in {}", path.display()))?;
        Ok(Self { name, fields, home: home(lookup) })
    }

    /// As whom a signature is made, and the token of a login, which is then part of that.
    pub(super) fn identity(&self) -> Result<(Secret, Option<Secret>), String> {
        if self.fields.contains_key("security_token_file") {
            let token = self.file("security_token_file").and_then(|path| contents(&path));
            let token = token.map_err(|what| format!("{what}: run `oci session authenticate`"))?;
            let token = token.trim();
            return Ok((Secret::new(format!("ST${token}")), Some(Secret::new(token))));
        }
        let parts = ["tenancy", "user", "fingerprint"].map(|name| self.field(name));
        let [tenancy, user, fingerprint] = parts;
        Ok((Secret::new([tenancy?, user?, fingerprint?].join("/")), None))
    }

    /// The file that a field names.
    pub(super) fn file(&self, name: &str) -> Result<PathBuf, String> {
        let path = self.field(name)?;
        let below_home = path.strip_prefix("~/").and_then(|rest| Some(self.home.as_ref()?.join(rest)));
        Ok(below_home.unwrap_or_else(|| PathBuf::from(path)))
    }

    fn field(&self, name: &str) -> Result<&str, String> {
        let value = self.fields.get(name).filter(|value| !value.is_empty());
        value.map(String::as_str).ok_or_else(|| format!("the profile `{}` names no {name}", self.name))
    }
}

fn path(lookup: &Lookup) -> Option<PathBuf> {
    let own = FILES.into_iter().find_map(|name| set(lookup, name)).map(PathBuf::from);
    own.or_else(|| Some(home(lookup)?.join(".oci/config")))
}

/// The fields of a profile; `None` when there is none of the name.
fn fields(text: &str, name: &str) -> Option<BTreeMap<String, String>> {
    let (mut shared, mut own) = (BTreeMap::new(), None::<BTreeMap<_, _>>);
    let mut section = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(title) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
            title.trim().clone_into(&mut section);
            if section == name {
                own.get_or_insert_default();
            }
        } else if let Some((field, value)) = line.split_once('=') {
            let place = match &mut own {
                _ if section == DEFAULT => &mut shared,
                Some(own) if section == name => own,
                _ => continue,
            };
            place.insert(field.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    let own = own?;
    shared.extend(own);
    Some(shared)
}

/// What tells that there are credentials, without asking anyone.
pub(crate) fn is_set(lookup: &Lookup) -> Option<String> {
    let path = path(lookup).filter(|path| path.exists())?;
    Some(format!("the file {}", path.display()))
}

/// Answers for environment variables, and for region and compartment out of the profile where no variable names one. The
/// compartment of those who name none is that of the whole tenancy.
pub(crate) fn with_profile(lookup: Box<Lookup>) -> Box<Lookup> {
    Box::new(move |name| {
        let field = match name {
            "OCI_REGION" => "region",
            "OCI_COMPARTMENT_ID" => "tenancy",
            _ => return lookup(name),
        };
        let of_profile = || Profile::read(&*lookup).ok()?.field(field).ok().map(ToOwned::to_owned);
        lookup(name).or_else(of_profile)
    })
}
