//! Where credentials come from, in the order of Amazon's own clients.

use std::time::{Duration, SystemTime};

use interlingua_model::{Error, ErrorKind};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::{Credentials, Signer, container, instance, profile, sts};
use crate::calendar;
use crate::machine::{Asking, set};
use crate::{Lookup, Secret, Transport};

/// Credentials are renewed so long before they expire.
const EARLY: Duration = Duration::from_secs(5 * 60);
/// The credentials of a client, found at the first call and renewed before they expire.
#[derive(Debug, Default)]
pub(crate) struct Chain(Mutex<Option<Credentials>>);

/// What a place that may hold credentials says.
pub(super) enum Found {
    Credentials(Credentials),
    /// It holds none; why.
    Nothing(String),
}

impl Chain {
    /// Who signs the calls of a service in a region.
    ///
    /// # Errors
    /// [`ErrorKind::Authentication`], with what every place said, when there are no credentials.
    pub(crate) async fn signer(
        &self,
        http: &dyn Transport,
        lookup: &Lookup,
        region: String,
        service: &str,
    ) -> Result<Signer, Error> {
        let credentials = self.credentials(Asking { http, lookup }, SystemTime::now()).await?;
        Ok(Signer { credentials, region, service: service.to_owned() })
    }

    async fn credentials(&self, asking: Asking<'_>, now: SystemTime) -> Result<Credentials, Error> {
        // The environment costs nothing to ask, and may change.
        let nothing = match environment(asking.lookup) {
            Found::Credentials(credentials) => return Ok(credentials),
            Found::Nothing(why) => why,
        };
        let mut kept = self.0.lock().await;
        let lasts = |credentials: &Credentials, margin: Duration| {
            credentials
                .expires
                .is_none_or(|expires| now.checked_add(margin).is_some_and(|then| then < expires))
        };
        if let Some(credentials) = kept.as_ref().filter(|credentials| lasts(credentials, EARLY)) {
            return Ok(credentials.clone());
        }
        match find(asking, nothing).await {
            Ok(credentials) => Ok(kept.insert(credentials).clone()),
            // What is good for some minutes yet is better than nothing.
            Err(error) => match kept.as_ref().filter(|credentials| lasts(credentials, Duration::ZERO)) {
                Some(credentials) => Ok(credentials.clone()),
                None => Err(error),
            },
        }
    }
}

/// Asks every place behind the environment. One that is set up and fails ends the search: the credentials of another
/// place would be somebody else's.
async fn find(asking: Asking<'_>, nothing: String) -> Result<Credentials, Error> {
    let mut said = vec![nothing];
    for place in [Place::Profile, Place::WebIdentity, Place::Container, Place::Instance] {
        match place.ask(asking).await {
            Ok(Found::Credentials(credentials)) => return Ok(credentials),
            Ok(Found::Nothing(why)) => said.push(why),
            Err(why) => {
                said.push(why);
                break;
            }
        }
    }
    let message = format!("there are no AWS credentials: {}", said.join("; "));
    Err(Error::new(ErrorKind::Authentication, message))
}

#[derive(Clone, Copy)]
enum Place {
    Profile,
    WebIdentity,
    Container,
    Instance,
}

impl Place {
    async fn ask(self, asking: Asking<'_>) -> Result<Found, String> {
        match self {
            Self::Profile => profile::ask(asking).await,
            Self::WebIdentity => sts::of_environment(asking).await,
            Self::Container => container::ask(asking).await,
            Self::Instance => instance::ask(asking).await,
        }
    }
}

pub(super) fn environment(lookup: &Lookup) -> Found {
    let id = set(lookup, "AWS_ACCESS_KEY_ID");
    let secret = set(lookup, "AWS_SECRET_ACCESS_KEY");
    match (id, secret) {
        (Some(id), Some(secret)) => {
            let token = set(lookup, "AWS_SESSION_TOKEN").map(Secret::new);
            Found::Credentials(Credentials { id, secret: Secret::new(secret), token, expires: None })
        }
        (Some(_), None) => Found::Nothing("AWS_SECRET_ACCESS_KEY is not set".to_owned()),
        _ => Found::Nothing("AWS_ACCESS_KEY_ID is not set".to_owned()),
    }
}

/// What tells that there are credentials, without asking anyone.
pub(crate) fn is_set(lookup: &Lookup) -> Option<String> {
    let named = [
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        sts::TOKEN_FILE,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    ];
    named.into_iter().find(|name| set(lookup, name).is_some()).map(|name| format!("env {name}"))
}

/// Answers for environment variables, and for the region out of the profile where no variable names one.
pub(crate) fn with_region(lookup: Box<Lookup>) -> Box<Lookup> {
    Box::new(move |name| {
        let of_profile = || (name == "AWS_DEFAULT_REGION").then(|| profile::region(&*lookup)).flatten();
        lookup(name).or_else(of_profile)
    })
}

/// Credentials as Amazon's servers and the helpers of profiles write them.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Written {
    #[serde(alias = "accessKeyId")]
    access_key_id: String,
    #[serde(alias = "secretAccessKey")]
    secret_access_key: String,
    #[serde(alias = "SessionToken", alias = "sessionToken", default)]
    token: Option<String>,
    #[serde(alias = "expiration", default)]
    expiration: Option<Expiration>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Expiration {
    Milliseconds(u64),
    Date(String),
}

/// Reads credentials out of JSON.
pub(super) fn read(text: &[u8]) -> Result<Credentials, String> {
    let written: Written =
        serde_json::from_slice(text).map_err(|_| "does not answer with credentials".to_owned())?;
    let expires = match written.expiration {
        None => None,
        Some(Expiration::Milliseconds(time)) => {
            SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(time))
        }
        Some(Expiration::Date(text)) => calendar::time(&text),
    };
    let token = written.token.filter(|token| !token.is_empty()).map(Secret::new);
    let secret = Secret::new(written.secret_access_key);
    Ok(Credentials { id: written.access_key_id, secret, token, expires })
}
