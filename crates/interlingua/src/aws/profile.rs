//! The files `~/.aws/config` and `~/.aws/credentials`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::chain::{Found, environment, read};
use super::{Credentials, container, instance, sso, sts};
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
    if !files.profiles.contains_key(&name) {
        let why = format!("there is no profile `{name}` in ~/.aws");
        // A profile that was asked for by name must be there.
        return if set(asking.lookup, "AWS_PROFILE").is_some() { Err(why) } else { Ok(Found::Nothing(why)) };
    }
    let (roles, source) = Roles::of(&files, &name)?;
    let mut credentials = match source.ask(asking, &files).await? {
        Found::Credentials(credentials) => credentials,
        Found::Nothing(why) if roles.is_empty() => return Ok(Found::Nothing(why)),
        Found::Nothing(why) => return Err(why),
    };
    // The last role is taken on by whoever has the credentials, and each one before it by the one behind it.
    for (name, role) in roles.0.into_iter().rev() {
        let taken = sts::assume(asking, role, credentials).await;
        credentials = taken.map_err(|what| failed(name, &format!("takes on a role that {what}")))?;
    }
    Ok(Found::Credentials(credentials))
}

/// The profiles that take on a role, the one that was asked for first.
struct Roles<'f>(Vec<(&'f str, &'f Section)>);

/// Where the first credentials come from, which take on the roles.
enum Source<'f> {
    Profile(&'f str, &'f Section),
    /// A place beside the files, by the word of `credential_source`.
    Place(&'f str, &'f str),
}

impl<'f> Roles<'f> {
    /// The roles that a profile takes on, and whose credentials it does that with.
    fn of(files: &'f Files, name: &str) -> Result<(Self, Source<'f>), String> {
        let mut roles = Self(Vec::new());
        let mut next = name;
        loop {
            let found = files.profiles.get_key_value(next);
            let (name, profile) = found.ok_or_else(|| format!("there is no profile `{next}` in ~/.aws"))?;
            let field = |field: &str| profile.get(field).map(String::as_str);
            // A profile that names itself takes the role on with its own key.
            let is_named_again = roles.0.iter().any(|(known, _)| known == name);
            let takes_role = field("role_arn").is_some() && field("web_identity_token_file").is_none();
            if !takes_role || is_named_again && has_key(profile) {
                return Ok((roles, Source::Profile(name, profile)));
            }
            if is_named_again {
                return Err(failed(name, "is its own source of credentials"));
            }
            roles.0.push((name, profile));
            match (field("source_profile"), field("credential_source")) {
                (Some(source), None) => next = source,
                (None, Some(place)) => return Ok((roles, Source::Place(name, place))),
                _ => {
                    return Err(failed(
                        name,
                        "takes on a role: give it either source_profile or credential_source",
                    ));
                }
            }
        }
    }

    const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Source<'_> {
    async fn ask(self, asking: Asking<'_>, files: &Files) -> Result<Found, String> {
        match self {
            Self::Profile(name, profile) => {
                own(asking, profile, files).await.map_err(|what| failed(name, &what)).map(|credentials| {
                    let nothing = || Found::Nothing(failed(name, "holds no credentials"));
                    credentials.map_or_else(nothing, Found::Credentials)
                })
            }
            Self::Place(_, "Environment") => Ok(environment(asking.lookup)),
            Self::Place(_, "EcsContainer") => container::ask(asking).await,
            Self::Place(_, "Ec2InstanceMetadata") => instance::ask(asking).await,
            Self::Place(name, other) => {
                Err(failed(name, &format!("has the credential_source `{other}`, which is unknown")))
            }
        }
    }
}

/// The credentials that a profile holds or gets by itself.
async fn own(asking: Asking<'_>, profile: &Section, files: &Files) -> Result<Option<Credentials>, String> {
    if let Some(credentials) = written(profile) {
        return Ok(Some(credentials));
    }
    if let Some(command) = profile.get("credential_process") {
        return process(command.clone()).await.map(Some);
    }
    if profile.contains_key("sso_account_id") {
        return sso::ask(asking, profile, files).await.map(Some);
    }
    if profile.contains_key("web_identity_token_file") {
        let taken = sts::of_profile(asking, profile).await;
        return taken.map(Some).map_err(|what| format!("takes on a role that {what}"));
    }
    Ok(None)
}

/// The key that stands in a profile.
fn written(profile: &Section) -> Option<Credentials> {
    let (id, secret) = (profile.get("aws_access_key_id")?, profile.get("aws_secret_access_key")?);
    let token = profile.get("aws_session_token").map(|token| Secret::new(token.as_str()));
    Some(Credentials { id: id.clone(), secret: Secret::new(secret.as_str()), token, expires: None })
}

fn has_key(profile: &Section) -> bool {
    written(profile).is_some()
}

fn failed(profile: &str, what: &str) -> String {
    format!("the profile `{profile}` {what}")
}

/// The credentials that a program prints.
async fn process(command: String) -> Result<Credentials, String> {
    let ran = tokio::task::spawn_blocking(move || keys::printed(&command)).await;
    let printed = ran.map_err(|_| "has a credential_process that did not end".to_owned())?;
    let printed = printed.map_err(|what| format!("has a credential_process that {what}"))?;
    read(printed.expose().as_bytes())
        .map_err(|_| "has a credential_process that prints no credentials".to_owned())
}
