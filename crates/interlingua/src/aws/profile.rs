//! The files `~/.aws/config` and `~/.aws/credentials`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::chain::{Found, read};
use super::{Credentials, sso};
use crate::machine::{Asking, home, set};
use crate::{Lookup, Secret, keys};

/// The fields of a section.
pub(super) type Section = BTreeMap<String, String>;

/// Both files.
#[derive(Default)]
pub(super) struct Files {
    pub(super) profiles: BTreeMap<String, Section>,
    pub(super) sessions: BTreeMap<String, Section>,
}

impl Files {
    pub(super) fn read(lookup: &Lookup) -> Self {
        let mut files = Self::default();
        let text = |variable, name| {
            let own = set(lookup, variable).map(PathBuf::from);
            let path = own.or_else(|| Some(home(lookup)?.join(".aws").join(name)))?;
            std::fs::read_to_string(path).ok()
        };
        if let Some(text) = text("AWS_CONFIG_FILE", "config") {
            files.take(&text, true);
        }
        // A key in the file for keys goes before one in the other.
        if let Some(text) = text("AWS_SHARED_CREDENTIALS_FILE", "credentials") {
            files.take(&text, false);
        }
        files
    }

    fn take(&mut self, text: &str, is_config: bool) {
        let mut section: Option<&mut Section> = None;
        for line in text.lines() {
            // What is set in is a field of the field before it, none of which matters here.
            if line.starts_with([' ', '\t']) || line.starts_with(['#', ';']) {
                continue;
            }
            let line = line.trim();
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
                section = self.section(name.trim(), is_config);
            } else if let (Some(section), Some((name, value))) = (&mut section, line.split_once('=')) {
                let value = value.split(" #").next().unwrap_or_default();
                section.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
            }
        }
    }

    fn section(&mut self, name: &str, is_config: bool) -> Option<&mut Section> {
        let mut words = name.split_ascii_whitespace();
        let name = match (is_config, words.next(), words.next()) {
            (true, Some("sso-session"), Some(name)) => {
                return Some(self.sessions.entry(name.to_owned()).or_default());
            }
            (true, Some("profile"), Some(name)) | (false, Some(name), None) => name,
            (true, Some("default"), None) => "default",
            _ => return None,
        };
        Some(self.profiles.entry(name.to_owned()).or_default())
    }
}

fn name(lookup: &Lookup) -> String {
    set(lookup, "AWS_PROFILE").unwrap_or_else(|| "default".to_owned())
}

/// The region that the profile names.
pub(super) fn region(lookup: &Lookup) -> Option<String> {
    Files::read(lookup).profiles.get(&name(lookup))?.get("region").cloned()
}

/// The credentials of the profile.
pub(super) async fn ask(asking: Asking<'_>) -> Result<Found, String> {
    let (files, name) = (Files::read(asking.lookup), name(asking.lookup));
    let Some(profile) = files.profiles.get(&name) else {
        let why = format!("there is no profile `{name}` in ~/.aws");
        // A profile that was asked for by name must be there.
        return if set(asking.lookup, "AWS_PROFILE").is_some() { Err(why) } else { Ok(Found::Nothing(why)) };
    };
    let failed = |what: String| format!("the profile `{name}` {what}");
    if let (Some(id), Some(secret)) = (profile.get("aws_access_key_id"), profile.get("aws_secret_access_key"))
    {
        let token = profile.get("aws_session_token").map(|token| Secret::new(token.as_str()));
        let (id, secret) = (id.clone(), Secret::new(secret.as_str()));
        return Ok(Found::Credentials(Credentials { id, secret, token, expires: None }));
    }
    if let Some(command) = profile.get("credential_process") {
        return process(command.clone()).await.map(Found::Credentials).map_err(failed);
    }
    if profile.contains_key("sso_account_id") {
        return sso::ask(asking, profile, &files).await.map(Found::Credentials).map_err(failed);
    }
    if profile.contains_key("role_arn") {
        return Err(failed(
            "takes on a role, which is not supported: set credential_process, or a key".to_owned(),
        ));
    }
    Ok(Found::Nothing(failed("holds no credentials".to_owned())))
}

/// The credentials that a program prints.
async fn process(command: String) -> Result<Credentials, String> {
    let ran = tokio::task::spawn_blocking(move || keys::printed(&command)).await;
    let printed = ran.map_err(|_| "has a credential_process that did not end".to_owned())?;
    let printed = printed.map_err(|what| format!("has a credential_process that {what}"))?;
    read(printed.expose().as_bytes())
        .map_err(|_| "has a credential_process that prints no credentials".to_owned())
}
